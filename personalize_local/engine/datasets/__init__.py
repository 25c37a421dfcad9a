"""What was imported and streamed: schemas, CSV files, the log of Parquet files behind each dataset, snapshots of it.

Imports `processes`, since long imports run in workers. Begin with `dataset_jobs`, then `dataset_log`.
"""

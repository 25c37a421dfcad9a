"""The checks of uploaded files, before they cost a job: CSV against a schema, JSON Lines of a batch job, and reports.

They read bytes and import the bucket's layout and gateway only. Begin with `csv_check`, fed with chunks of any size.
"""

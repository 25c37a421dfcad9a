"""The records that the ledger's table keeps of uploads: rows of files, finished imports, trainings that were put off.

It imports the gateways' table and the bucket's layout. Begin with `file_row`, which says where a row lies.
"""

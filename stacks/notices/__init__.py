"""Who is told how runs ended: the topic, the rule that feeds it, and what its handler may do.

It may import the settings, the references and the words of the grants table. Begin with `outcome_notices`.
"""

"""The domain of money: what Amazon Personalize bills for, what that costs, and what is there and earns nothing.

Begin with `price_table`, which reads `prices.toml`; every estimate says which of its prices nobody could verify.
"""

"""Work that costs money: what it cost, what it has bought so far, and when that is enough."""

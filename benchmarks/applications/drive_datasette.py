"""datasette serves a file of SQLite's: tables, queries, bad ones, one that takes too long, a client that goes away."""

import signal
import sqlite3
from urllib.parse import quote

from _driven import Program, ask, free_port, leave, send

with sqlite3.connect("shop.db") as shop:
    shop.execute("create table items (id integer primary key, name text, price real)")
    shop.executemany("insert into items (name, price) values (?, ?)", [(f"item {n}", n / 7) for n in range(5_000)])
shop.close()

LONG = quote("with recursive n(x) as (select 1 union all select x + 1 from n) select count(*) from n")

port = free_port()
program = Program("-m", "datasette", "serve", "shop.db", "-p", str(port), "--setting", "sql_time_limit_ms", "300")
program.opens(port)
for path in (
    "/",
    "/shop",
    "/shop/items?_facet=price",
    "/shop/items/3.json",
    "/shop/items/99999",
    "/shop/nothing",
    "/shop.json?sql=" + quote("select * from items limit 3"),
    "/shop.json?sql=" + quote("select * from nothing"),
    "/shop.json?sql=" + quote("delete from items"),
    "/shop/items.csv?_stream=1",
    "/shop/items.json?_where=" + quote("price >"),
    "/shop/items?_sort=nothing",
    f"/shop.json?sql={LONG}",
    "/-/plugins.json",
    "/%ff/%00",
):
    ask(port, path)
ask(port, "/shop", "POST", "x=1")
leave(port, "/shop/items.csv?_stream=1", 0.02)
leave(port, f"/shop.json?sql={LONG}")
send(port, b"nonsense\r\n\r\n")
program.end(signal.SIGINT)

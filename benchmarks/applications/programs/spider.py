"""A spider of scrapy's: pages that link to each other, one that fails to parse, a site that is down."""

from collections.abc import AsyncIterator
from typing import Any, ClassVar

import scrapy


class Spider(scrapy.Spider):
    name = "shop"
    custom_settings: ClassVar = {
        "RETRY_TIMES": 1,
        "LOG_LEVEL": "ERROR",
        "TELNETCONSOLE_ENABLED": False,
        "DOWNLOAD_TIMEOUT": 3,
    }

    async def start(self) -> AsyncIterator[Any]:
        yield scrapy.Request(self.place)
        yield scrapy.Request("http://127.0.0.1:1/", errback=self.down)
        yield scrapy.Request("http://127.0.0.1:1/other")

    def down(self, failure: Any) -> None:
        print("down", failure.type.__name__)

    async def parse(self, response: Any) -> AsyncIterator[Any]:
        if response.url.endswith("/bad"):
            raise ValueError("no price")
        for link in response.css("a::attr(href)").getall():
            yield response.follow(link)
        yield {"url": response.url[-5:]}

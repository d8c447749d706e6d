"""A server of tornado's: pages, a handler that fails, a websocket, a callback that fails, an executor."""

import asyncio
import sys
import time

import tornado.httpclient
import tornado.ioloop
import tornado.web
import tornado.websocket


class Item(tornado.web.RequestHandler):
    async def get(self, number: str) -> None:
        await asyncio.sleep(0)
        self.write(str(100 // int(number)))


class Slow(tornado.web.RequestHandler):
    async def get(self) -> None:
        await asyncio.sleep(3)
        self.write("slow")


class Later(tornado.web.RequestHandler):
    def get(self) -> None:
        async def fails() -> None:
            raise ConnectionError("the mail server is down")

        tornado.ioloop.IOLoop.current().add_callback(fails)
        tornado.ioloop.IOLoop.current().spawn_callback(lambda: 1 / 0)
        self.write("later")


class Executor(tornado.web.RequestHandler):
    async def get(self) -> None:
        await tornado.ioloop.IOLoop.current().run_in_executor(None, time.sleep, 0.01)
        await tornado.ioloop.IOLoop.current().run_in_executor(None, int, "x")


class Proxy(tornado.web.RequestHandler):
    async def get(self) -> None:
        answers = await tornado.httpclient.AsyncHTTPClient().fetch("http://127.0.0.1:1/", raise_error=False)
        self.write(str(answers.code))
        await tornado.httpclient.AsyncHTTPClient().fetch("http://127.0.0.1:1/")


class Chat(tornado.websocket.WebSocketHandler):
    def on_message(self, message: str | bytes) -> None:
        self.write_message(str(100 // int(message)))


async def main() -> None:
    tornado.web.Application(
        [
            (r"/items/(\w+)", Item),
            ("/slow", Slow),
            ("/later", Later),
            ("/executor", Executor),
            ("/proxy", Proxy),
            ("/chat", Chat),
        ]
    ).listen(int(sys.argv[1]), "127.0.0.1")
    await asyncio.Event().wait()


asyncio.run(main())

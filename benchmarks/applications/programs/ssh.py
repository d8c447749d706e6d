"""A server and clients of asyncssh: commands, forwarded ports, files, wrong passwords, a connection that is cut."""

import asyncio
import contextlib

import asyncssh


class Server(asyncssh.SSHServer):
    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, _username: str, password: str) -> bool:
        return password == "right"

    def connection_requested(self, *_where: object) -> bool:
        return True


async def process(one: asyncssh.SSHServerProcess[str]) -> None:
    if one.command == "fail":
        raise RuntimeError("the command failed in the server")
    if one.command == "wait":
        await asyncio.sleep(30)
    one.stdout.write(f"did {one.command}\n")
    one.exit(3 if one.command == "three" else 0)


async def main() -> None:
    key = asyncssh.generate_private_key("ssh-ed25519")
    server = await asyncssh.create_server(
        Server, "127.0.0.1", 0, server_host_keys=[key], process_factory=process, sftp_factory=True
    )
    port = server.get_port()

    def connect(password: str = "right") -> contextlib.AbstractAsyncContextManager[asyncssh.SSHClientConnection]:
        return asyncssh.connect(
            "127.0.0.1", port, username="u", password=password, known_hosts=None, client_keys=None, agent_path=None
        )

    try:
        async with connect("wrong"):
            pass
    except asyncssh.PermissionDenied as error:
        print("refused", error.code)
    try:
        async with asyncssh.connect("127.0.0.1", 1):
            pass
    except OSError as error:
        print("refused", type(error).__name__)
    async with connect() as client:
        done = await asyncio.gather(*(client.run(command) for command in ("a", "three", "b")))
        print([(one.stdout, one.exit_status) for one in done])
        try:
            await client.run("three", check=True)
        except asyncssh.ProcessError as error:
            print("three", error.exit_status)
        try:
            await client.run("wait", timeout=0.2)
        except asyncssh.TimeoutError:
            print("timed out")
        async with client.start_sftp_client() as files:
            await files.put(__file__, "copied.txt")
            print("copied", (await files.stat("copied.txt")).size)
            try:
                await files.get("nothing.txt")
            except asyncssh.SFTPNoSuchFile as error:
                print("no such", error.code)
        forwarded = await client.forward_local_port("127.0.0.1", 0, "127.0.0.1", 1)
        reader, writer = await asyncio.open_connection("127.0.0.1", forwarded.get_port())
        print("forwarded", await reader.read())
        writer.close()
    async with connect() as client:
        try:
            print("failed", (await client.run("fail")).exit_status)
        except (asyncssh.Error, OSError) as error:
            print("failed", type(error).__name__)
    cut = await asyncssh.connect(
        "127.0.0.1", port, username="u", password="right", known_hosts=None, client_keys=None, agent_path=None
    )
    waiting = asyncio.create_task(cut.run("wait"))
    await asyncio.sleep(0.2)
    cut.abort()
    print("cut", (await asyncio.gather(waiting, return_exceptions=True))[0])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"nonsense\r\n" * 10)
    print("nonsense", (await reader.read())[:7])
    writer.close()
    server.close()
    await server.wait_closed()


asyncio.run(main())

"""A server and clients of pymodbus: registers, wrong addresses, a server that is not there, one that goes away."""

import asyncio

from pymodbus import ModbusException
from pymodbus.client import AsyncModbusTcpClient
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice


async def main() -> None:
    device = SimDevice(1, simdata=SimData(address=0, values=list(range(50)), datatype=DataType.REGISTERS))
    server = ModbusTcpServer(device, address=("127.0.0.1", 50211))
    await server.serve_forever(background=True)
    client = AsyncModbusTcpClient("127.0.0.1", port=50211, timeout=0.5, retries=1)
    print("connected", await client.connect())
    for address, count in ((0, 10), (40, 20), (900, 1)):
        try:
            answer = await client.read_holding_registers(address, count=count)
            print(address, answer.isError(), len(answer.registers))
        except ModbusException as error:
            print(address, type(error).__name__)
    print("written", (await client.write_register(3, 7)).isError())
    try:
        print("no device", (await client.read_holding_registers(0, count=1, device_id=9)).isError())
    except ModbusException as error:
        print("no device", type(error).__name__)
    try:
        await client.read_holding_registers(0, count=10_000)
    except (ModbusException, ValueError) as error:
        print("too many", type(error).__name__)
    _reader, writer = await asyncio.open_connection("127.0.0.1", 50211)
    writer.write(b"nonsense" * 50)
    await writer.drain()
    await asyncio.sleep(0.2)
    writer.close()
    waiting = asyncio.create_task(client.read_holding_registers(0, count=1, device_id=9))
    await asyncio.sleep(0.05)
    await server.shutdown()
    try:
        await waiting
    except ModbusException as error:
        print("gone", type(error).__name__)
    client.close()
    absent = AsyncModbusTcpClient("127.0.0.1", port=1, timeout=0.5, retries=1)
    print("absent", await absent.connect())
    absent.close()


asyncio.run(main())

"""A flow of prefect's, with a server of its own for the time: tasks, a retry, a task that fails, a flow that fails."""

import asyncio

from prefect import flow, task

tries = 0


@task(retries=1, task_run_name="flaky")
async def flaky() -> str:
    global tries
    tries += 1
    if tries == 1:
        raise ConnectionError("the first time")
    return "there"


@task(task_run_name="price")
async def price(number: int) -> float:
    return 100 / number


@flow(flow_run_name="shop")
async def shop() -> int:
    states = [price.submit(number) for number in (1, 0, 2)]
    for state in states:
        state.wait()
    print(await flaky(), [state.state.name for state in states])
    return 1


@flow(flow_run_name="broken")
async def broken() -> None:
    await asyncio.gather(price(0), price(0))


print(asyncio.run(shop(return_state=True)).name)
print(asyncio.run(broken(return_state=True)).name)

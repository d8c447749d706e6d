"""A cluster of dask's in one process: sums, failing tasks, a worker that is closed, a task that is cancelled."""

import time

from dask import delayed
from distributed import CancelledError, Client, LocalCluster, as_completed


def price(number: int) -> float:
    return 100 / number


def main() -> None:
    with (
        LocalCluster(n_workers=2, threads_per_worker=2, processes=False, dashboard_address=None) as cluster,
        Client(cluster) as client,
    ):
        print("sum", sum(client.gather(client.map(price, range(1, 200)))))
        futures = client.map(price, range(-2, 3))
        for future in as_completed(futures):
            if future.status == "error":
                print("failed", type(future.exception()).__name__)
        try:
            client.gather(futures)
        except ZeroDivisionError as error:
            print("failed", error)
        print("skipped", len(client.gather(futures, errors="skip")))
        try:
            delayed(sum)([delayed(price)(0)]).compute()
        except ZeroDivisionError as error:
            print("failed", error)
        slow = client.submit(time.sleep, 1)
        slow.cancel()
        try:
            slow.result(timeout=5)
        except CancelledError:
            print("cancelled")
        client.map(price, [0] * 5, pure=False)  # nobody asks
        time.sleep(0.3)
        cluster.scale(1)
        time.sleep(1)
        print("sum", sum(client.gather(client.map(price, range(1, 50), pure=False))))


if __name__ == "__main__":
    main()

"""start() waits until the thread runs, so threads started in a row run in that order."""

import threading

order = []


def work(number):
    order.append(number)


def main():
    threads = []
    for number in range(5):
        thread = threading.Thread(target=work, args=(number,))
        thread.start()
        threads.append(thread)
    for thread in threads:
        thread.join()
    print(order)


if __name__ == "__main__":
    main()

"""A Thread is started once, joined after that, not by itself, and is alive in between."""

import threading

go = threading.Event()
notes = []


def work():
    go.wait()


def join_itself():
    try:
        box[0].join()
    except RuntimeError as error:
        notes.append(str(error))


thread = threading.Thread(target=work)
print(thread.is_alive(), thread.ident, thread.native_id, thread.daemon, thread.name)
try:
    thread.join()
except RuntimeError as error:
    print(error)
thread.start()
print(thread.is_alive(), thread.ident is not None, thread.native_id is not None)
try:
    thread.start()
except RuntimeError as error:
    print(error)
print(thread.join(0), thread.join(0.001), thread.join(timeout=-1), thread.is_alive())
go.set()
print(thread.join(), thread.is_alive(), thread.join())
try:
    thread.start()
except RuntimeError as error:
    print(error)
box = [threading.Thread(target=join_itself, name="self")]
box[0].start()
box[0].join()
print(notes, box[0].name)

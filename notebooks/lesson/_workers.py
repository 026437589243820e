"""Leave interrupts to the kernel, in a process that works for one.

Stop in Jupyter interrupts the kernel and every process that it has started. A
worker that obeyed would end, and its pool would be broken. So one that imports
`lesson` ignores interrupts from then on, and ends when the kernel says so.
"""

import multiprocessing
import signal
import threading

# Its parent cannot be asked for yet, while it unpickles what it is to do.
is_worker = multiprocessing.current_process().name != "MainProcess"
if is_worker and threading.current_thread() is threading.main_thread():
    signal.signal(signal.SIGINT, signal.SIG_IGN)

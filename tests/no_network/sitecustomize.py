"""Python reads this when it starts: with it a process reaches no host but its own.

`conftest.py` puts this folder on the path of every notebook's kernel.
"""

import ipaddress
import sys


def refuse_other_hosts(event, arguments):
    if event == "socket.connect":
        address = arguments[1]
    elif event == "socket.getaddrinfo":
        address = arguments[:1]
    else:
        return
    if isinstance(address, tuple) and not is_here(address[0]):
        raise OSError(f"{address[0]} is another host: the series needs no network")


def is_here(host):
    if host in (None, "", b"", "localhost", b"localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


sys.addaudithook(refuse_other_hosts)

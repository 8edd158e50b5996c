"""Workers on the nodes of a Ray cluster, for `--ray`.

    parent                                      node
    crew -- WorkerHandle -- RemoteProcess       worker, as on one machine
                                  |               |  its pipe
                               Courier ........ Host, a Ray actor

An actor holds a GPU or a core of a node. It starts ordinary workers there and passes messages on without reading them.
So a worker has a process of its own, is replaced, and freezes in the middle of an epoch, as it does on one machine.

What crosses the network goes through Ray's own channel, which unpickles what it receives: whoever can reach the ports
of a Ray cluster can run code on it. docs/clusters.md says how to keep them closed.
"""

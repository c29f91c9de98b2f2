"""Talks to a kernel with Jupyter's own client (libzmq): argument, a connection file."""
import sys
import time
from jupyter_client import BlockingKernelClient

k = BlockingKernelClient(connection_file=sys.argv[1])
k.load_connection_file()
k.start_channels()
k.wait_for_ready(timeout=20)
msg_id = k.execute("ask", allow_stdin=True)
asked = k.get_stdin_msg(timeout=10)
assert asked["msg_type"] == "input_request", asked
assert asked["parent_header"]["msg_id"] == msg_id, asked
k.input("é line")
reply = k.get_shell_msg(timeout=10)
while reply["parent_header"]["msg_id"] != msg_id:
    reply = k.get_shell_msg(timeout=10)
assert reply["content"]["status"] == "ok", reply
kinds = []
while kinds[-1:] != ["idle"]:
    m = k.get_iopub_msg(timeout=10)
    if m["parent_header"].get("msg_id") != msg_id:
        continue
    kinds.append(m["content"].get("execution_state", m["msg_type"]))
    if m["msg_type"] == "stream":
        assert m["content"]["text"] == "é line" * 100000, len(m["content"]["text"])
    if m["msg_type"] == "display_data":
        assert m["content"]["data"]["image/png"] == "AQID", m
assert kinds == ["busy", "stream", "display_data", "idle"], kinds
end = time.time() + 10
while not k.hb_channel.is_beating():
    assert time.time() < end, "no heartbeat"
    time.sleep(0.1)
k.shutdown()
assert k.get_control_msg(timeout=10)["msg_type"] == "shutdown_reply"
k.stop_channels()
print("fine")

"""Listens to /ws and notes when the alarms of the probe come; the few lines of RFC 6455 that it takes."""
import base64
import json
import os
import socket
import struct
import threading
import time


class LiveSocket(threading.Thread):
    def __init__(self, port, channels):
        super().__init__(daemon=True)
        self.received = {}
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        key = base64.b64encode(os.urandom(16)).decode()
        self.socket.sendall(
            (f"GET /ws HTTP/1.1\r\nHost: localhost:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
             f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n").encode())
        self.buffer = b""
        while b"\r\n\r\n" not in self.buffer:
            self.buffer += self.socket.recv(65536)
        head, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        if b" 101 " not in head.split(b"\r\n")[0]:
            raise OSError(head.decode())
        self.send({"type": "Subscribe", "payload": {"channels": channels}})
        self.start()

    def send(self, message):
        data = json.dumps(message).encode()
        mask = os.urandom(4)
        length = struct.pack("!B", 0x80 | len(data)) if len(data) < 126 else struct.pack("!BH", 0xFE, len(data))
        self.socket.sendall(b"\x81" + length + mask + bytes(b ^ mask[i % 4] for i, b in enumerate(data)))

    def take(self, count):
        while len(self.buffer) < count:
            more = self.socket.recv(65536)
            if not more:
                raise OSError("closed")
            self.buffer += more
        data, self.buffer = self.buffer[:count], self.buffer[count:]
        return data

    def run(self):
        try:
            while True:
                first, second = self.take(2)
                length = second & 127
                if length == 126:
                    length = struct.unpack("!H", self.take(2))[0]
                elif length == 127:
                    length = struct.unpack("!Q", self.take(8))[0]
                data = self.take(length)
                now = time.time()
                if first & 15 == 9:
                    continue
                if first & 15 == 1:
                    self.note(json.loads(data), now)
        except OSError:
            pass

    def note(self, message, now):
        payload = message.get("payload") or {}
        value = (payload.get("properties") or {}).get("value")
        if payload.get("name") == "AlarmRaised" and isinstance(value, (int, float)):
            self.received.setdefault(round((value - 100) * 1000), now)

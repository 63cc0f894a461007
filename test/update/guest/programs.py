#!/usr/bin/python3
"""In the full guest: programs of many trades, each in a container of crun.

  names         all of them
  bundle NAME   make its bundle, /srv/programs/NAME
  ask NAME      ask it, and print what is the same whenever it is asked; fails if it does not answer
  count NAME    of those that count: print how often they have been asked
"""
import json
import os
import socket
import struct
import subprocess
import sys

TOP = "/srv/programs"
CLASSES = ":".join(f"/usr/share/java/{name}.jar" for name in (
    "zookeeper", "zookeeper-jute", "slf4j-api", "slf4j-simple", "commons-cli", "commons-io", "metrics-core",
    "snappy-java", *(f"netty-{part}" for part in (
        "all", "buffer", "codec", "common", "handler", "resolver", "transport"))))

# What runs in each, and the files that it reads there.
PROGRAMS = {
    "caddy": ("exec caddy respond --listen 127.0.0.1:8082 hello", {}),
    "etcd": ("exec etcd --data-dir /var/etcd", {}),
    "kamailio": ("exec kamailio -DD -E -f /etc/programs/kamailio.cfg -m 64 -M 8 -P /tmp/pid", {"kamailio.cfg": """\
#!KAMAILIO
children=2
listen=udp:127.0.0.1:5060
listen=tcp:127.0.0.1:5060
mpath="/usr/lib/x86_64-linux-gnu/kamailio/modules/"
loadmodule "sl.so"
request_route { sl_send_reply("200", "OK"); }
"""}),
    "luanti": ("exec /usr/games/luantiserver --gameid minetest_game --worldname world --port 30000 --logfile /tmp/log", {}),
    "mariadb": ("exec mariadbd --user=mysql --socket=/tmp/socket --pid-file=/tmp/pid --innodb-buffer-pool-size=64M", {}),
    "memcached": ("exec memcached -u nobody -t 4 -U 0 -l 127.0.0.1", {}),
    "mosquitto": ("exec mosquitto -p 1883", {}),
    "mumble": ("exec mumble-server -fg -ini /etc/programs/mumble.ini", {"mumble.ini": """\
database=/var/lib/mumble-server/programs.sqlite
port=64738
host=127.0.0.1
logfile=
"""}),
    "node": ("exec node /etc/programs/count.js", {"count.js": """\
const http = require('http'), { Worker } = require('worker_threads'), zlib = require('zlib');
let n = 0, told = 0;
new Worker("let i = 0; setInterval(() => require('worker_threads').parentPort.postMessage(++i), 200)", { eval: true })
	.on('message', m => { told = m; });
setInterval(() => zlib.gzip(require('crypto').randomBytes(10000), () => {}), 500);
http.createServer((question, answer) =>
	answer.end(question.url == '/count' ? String(++n) : told > 0 ? 'ticks' : '')).listen(3000, '127.0.0.1');
"""}),
    "php": ("exec php-fpm8.4 -F -y /etc/programs/fpm.conf", {"fpm.conf": """\
[global]
error_log = /proc/self/fd/2
[www]
user = nobody
group = nogroup
listen = 127.0.0.1:9000
pm = static
pm.max_children = 2
""", "cache.php": "<?php echo 'since ', opcache_get_status()['opcache_statistics']['start_time'], \"\\n\";"}),
    "tmux": ("tmux -S /tmp/socket new-session -d 'echo begun at $(date +%s); sleep infinity'; exec sleep infinity", {}),
    "unbound": ("exec unbound -d -c /etc/programs/unbound.conf", {"unbound.conf": """\
server:
 interface: 127.0.0.1@5300
 username: ""
 chroot: ""
 directory: "/tmp"
 pidfile: ""
 num-threads: 2
 use-syslog: no
"""}),
    "zookeeper": (f"exec java -Xmx128m -cp {CLASSES} org.apache.zookeeper.server.quorum.QuorumPeerMain"
                  " /etc/programs/zookeeper.cfg", {"zookeeper.cfg": """\
tickTime=2000
dataDir=/var/zookeeper
clientPort=2181
4lw.commands.whitelist=*
admin.enableServer=false
"""}),
}


def bundle(name):
    command, files = PROGRAMS[name]
    capabilities = [f"CAP_{c}" for c in (
        "CHOWN", "DAC_OVERRIDE", "FOWNER", "KILL", "NET_BIND_SERVICE", "SETGID", "SETUID", "SYS_CHROOT")]

    def mount(where, kind, *options):
        return {"destination": where, "type": kind, "source": kind, "options": ["nosuid", *options]}

    config = {
        "ociVersion": "1.0.2",
        "process": {
            "args": ["/bin/sh", "-c", command], "cwd": "/", "user": {"uid": 0, "gid": 0},
            "env": ["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/tmp", "LC_ALL=C.UTF-8"],
            "capabilities": {kind: capabilities for kind in ("bounding", "effective", "permitted")},
            "rlimits": [{"type": "RLIMIT_NOFILE", "hard": 65536, "soft": 65536}],
        },
        "root": {"path": f"{TOP}/root"},
        "hostname": name,
        "mounts": [
            mount("/proc", "proc"), mount("/sys", "sysfs", "ro"), mount("/dev", "tmpfs", "mode=755"),
            mount("/dev/pts", "devpts", "newinstance", "ptmxmode=0666", "mode=0620"),
            mount("/dev/shm", "tmpfs", "mode=1777"), mount("/run", "tmpfs", "mode=1777"),
            mount("/tmp", "tmpfs", "mode=1777"),
        ],
        "linux": {
            "cgroupsPath": f"/programs/{name}",
            "namespaces": [{"type": t} for t in ("pid", "ipc", "uts", "mount", "cgroup")],
        },
    }
    os.makedirs(f"{TOP}/{name}", exist_ok=True)
    os.makedirs(f"{TOP}/root/etc/programs", exist_ok=True)
    for file, text in files.items():
        with open(f"{TOP}/root/etc/programs/{file}", "w", encoding="utf-8") as f:
            f.write(text)
    with open(f"{TOP}/{name}/config.json", "w", encoding="utf-8") as f:
        json.dump(config, f)


def tcp(port, data, size=1000):
    with socket.create_connection(("127.0.0.1", port), 60) as s:
        s.sendall(data)
        return s.recv(size).decode("latin1").strip()


# python3-minimal has no http.client
def web(port, path, data=None):
    body = json.dumps(data) if data else ""
    with socket.create_connection(("127.0.0.1", port), 60) as s:
        s.sendall(f"{'POST' if data else 'GET'} {path} HTTP/1.0\r\nHost: 127.0.0.1\r\n"
                  f"Content-Length: {len(body)}\r\n\r\n{body}".encode())
        said = b"".join(iter(lambda: s.recv(4096), b""))
    return said.decode().partition("\r\n\r\n")[2].strip()


def udp(port, data):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(20)
        s.sendto(data, ("127.0.0.1", port))
        return s.recv(1000)


def inside(name, *command):
    return subprocess.run(["crun", "exec", name, *command], stdin=subprocess.DEVNULL, check=True,
                          stdout=subprocess.PIPE, encoding="utf-8").stdout.strip()


def sql(text):
    return inside("mariadb", "mariadb", "-NS", "/tmp/socket", "-e", text)


def fastcgi(script):
    def record(kind, body=b""):
        return struct.pack(">BBHHBB", 1, kind, 1, len(body), 0, 0) + body

    def pair(name, value):
        return bytes([len(name), len(value)]) + name + value

    return tcp(9000, record(1, struct.pack(">HB5x", 1, 0)) + record(4, pair(b"SCRIPT_FILENAME", script) +
               pair(b"REQUEST_METHOD", b"GET")) + record(4) + record(5)).split("\r\n\r\n")[1].split("\n")[0]


def sip():
    options = ["OPTIONS sip:127.0.0.1 SIP/2.0", "Via: SIP/2.0/UDP 127.0.0.1:5099;branch=z9hG4bK1;rport",
               "From: <sip:a@127.0.0.1>;tag=1", "To: <sip:127.0.0.1>", "Call-ID: 1@x", "CSeq: 1 OPTIONS",
               "Max-Forwards: 10", "Content-Length: 0", "", ""]
    return udp(5060, "\r\n".join(options).encode()).decode().split("\r\n")[0]


# MQTT 3.1.1: one connects
def mqtt():
    return tcp(1883, b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x3c\x00\x01a", 4).encode("latin1").hex()


# a packet of luanti's protocol by which a peer asks for a number; the answer begins as it does
def game():
    return udp(30000, b"\x4f\x45\x74\x03\x00\x00\x00\x01")[:4].hex()


def name_server():
    question = b"\x12\x34\x01\0\0\1\0\0\0\0\0\0\x09localhost\0\0\1\0\1"
    return str(b"\x7f\0\0\1" in udp(5300, question))


def key_value():
    web(2379, "/v3/kv/put", {"key": "a2V5", "value": "dmFsdWU="})
    return str("dmFsdWU=" in web(2379, "/v3/kv/range", {"key": "a2V5"}))


ASK = {
    "caddy": lambda: web(8082, "/"),
    "etcd": key_value,
    "kamailio": sip,
    "luanti": game,
    "mariadb": lambda: sql("select version()"),
    "memcached": lambda: tcp(11211, b"version\r\n"),
    "mosquitto": mqtt,
    "mumble": lambda: str(bool(socket.create_connection(("127.0.0.1", 64738), 60))),
    "node": lambda: web(3000, "/"),
    "php": lambda: fastcgi(b"/etc/programs/cache.php"),
    "tmux": lambda: inside("tmux", "tmux", "-S", "/tmp/socket", "capture-pane", "-p"),
    "unbound": name_server,
    "zookeeper": lambda: tcp(2181, b"ruok"),
}

# A table that lies in memory alone.
COUNT = {
    "mariadb": lambda: sql("create database if not exists d; use d; create table if not exists t"
                           " (n int auto_increment primary key) engine = memory;"
                           " insert into t values (); select count(*) from t"),
    "memcached": lambda: tcp(11211, b"add n 0 0 1\r\n0\r\nincr n 1\r\n").split("\r\n")[-1],
    "node": lambda: web(3000, "/count"),
}

if sys.argv[1] == "names":
    print(*PROGRAMS)
elif sys.argv[1] == "bundle":
    bundle(sys.argv[2])
else:
    said = (ASK if sys.argv[1] == "ask" else COUNT)[sys.argv[2]]()
    print(said)
    sys.exit(not said)

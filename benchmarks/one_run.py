"""One peer, once, in a process of its own: `python -m benchmarks.one_run PEER FILE` prints one line of JSON."""

import json
import resource
import sys
import time

from benchmarks.peers import PEERS


def cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def main(name: str, path: str) -> None:
    prepare, work = PEERS[name]()
    importing = cpu()
    prepared = prepare(path)
    before, clock = cpu(), time.perf_counter()
    frame = work(prepared)
    result = {
        "import": importing,
        "cpu": cpu() - before,
        "wall": time.perf_counter() - clock,
        "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 1e9,
        "found": {
            "customers": len(frame),
            "repeat occasions": int(frame.x.sum()),
            "repeat money": round(float((frame.x * frame.mean_repeat_value.fillna(0)).sum()), 1),
            **({"spend": round(float(frame.spend.sum()), 1)} if "spend" in frame else {}),
        },
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main(*sys.argv[1:])

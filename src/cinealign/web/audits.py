"""The audit of a run, made on demand in the background; what it has found so far can be read at any time."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from cinealign.audit.audit import audit_run
from cinealign.audit.findings import Finding, worst
from cinealign.errors import CineAlignError
from cinealign.run_data import RunData


@dataclass
class AuditDesk:
    """One audit at a time, and once.

    Attributes:
        state: "none" before it is asked for, "running", "done", or "failed".
        findings: in the order in which they were made.
        error: why it could not be made.
    """

    state: str = "none"
    findings: list[Finding] = field(default_factory=list)
    error: str | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @property
    def verdict(self) -> str | None:
        """PASS, NOTE or FAIL; None before the end."""
        return worst(self.findings) if self.state == "done" else None

    def begin(self, data: Callable[[], RunData]) -> None:
        """Start, if that was not done before."""
        with self._lock:
            if self.state in ("running", "done"):
                return
            self.state, self.findings, self.error = "running", [], None
        threading.Thread(target=self._make, args=(data,), name="cinealign audit", daemon=True).start()

    def _make(self, data: Callable[[], RunData]) -> None:
        try:
            found = data()
            audit_run(found.run, found.catalogue, heard=self.findings.append)
        except CineAlignError as error:
            self.state, self.error = "failed", str(error)
        except Exception:
            self.state, self.error = "failed", "the audit broke off; run `cinealign audit` to see why"
            raise
        else:
            self.state = "done"

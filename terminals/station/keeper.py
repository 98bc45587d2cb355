"""The policy this terminal acts within: fetched when there is a network, kept on disk, believed only as signed."""

from pathlib import Path

from crypto import cbor
from crypto.errors import CryptoError, MalformedMessage
from crypto.wire.citykeys import CityKeys
from crypto.wire.policy import Policy, open_policy
from terminals.outbox import write_durably
from terminals.station.errors import ClockBehind, NoPolicy, PolicyTooOld
from terminals.station.floor import SKEW_MS


class PolicyKeeper:
    """One file, replaced whole: the signed policy and the keys that verified it.

    The keys that a policy brings verify the next one, so the city can change its keys.
    """

    def __init__(self, path: Path, pinned_keys: str) -> None:
        self._path = path
        self._pinned_keys = pinned_keys
        self._policy: Policy | None = None
        self._seen: tuple[int, int] | None = None

    def current(self) -> Policy:
        """The policy on disk, however old. Another program may have fetched a newer one meanwhile: it is noticed.

        Raises: NoPolicy, also where the file was damaged: the next policy of the city, by the pinned keys, mends that.
        """
        try:
            found = self._path.stat()
            stamp = (found.st_mtime_ns, found.st_ino)
            if self._policy is None or stamp != self._seen:
                self._policy = None
                self._policy = _open_kept(self._path.read_bytes())
                self._seen = stamp
        except (FileNotFoundError, CryptoError) as error:
            raise NoPolicy from error
        return self._policy

    def in_force(self, now_ms: int) -> Policy:
        """The policy, if it may be acted within now. Raises: NoPolicy, PolicyTooOld, ClockBehind."""
        policy = self.current()
        age_ms = now_ms - policy.issued_at_ms
        if age_ms < -SKEW_MS:
            raise ClockBehind
        if now_ms >= policy.expires_at_ms or age_ms > policy.limits.policy_age_ms_max:
            raise PolicyTooOld(age_ms)
        return policy

    def keys(self) -> CityKeys:
        """The city's public keys now: the policy's, or those pinned at enrolment while there is no policy."""
        return CityKeys.parse(self._keys_text())

    def newer(self, signed: bytes) -> Policy:
        """Which policy `keep` would leave here: this one, or the one that is here already.

        Raises: InvalidSignature, MalformedMessage: it is not the city's.
        """
        fresh = open_policy(signed, CityKeys.parse(self._keys_text()))
        here = self._policy
        return here if here and (fresh.number, fresh.issued_at_ms) < (here.number, here.issued_at_ms) else fresh

    def keep(self, signed: bytes) -> Policy:
        """Take a policy in, if the city signed it and it is not older than the one here; an older one is ignored.

        Raises: InvalidSignature, MalformedMessage: it is not the city's; the one here stays.
        """
        keys_text = self._keys_text()
        if self.newer(signed) is self._policy:
            return self.current()
        write_durably(self._path, cbor.encode([signed, keys_text]))
        return self.current()

    def _keys_text(self) -> str:
        try:
            return self.current().city_keys
        except NoPolicy:
            return self._pinned_keys


def _open_kept(content: bytes) -> Policy:
    match cbor.decode(content):
        case [bytes(signed), str(keys_text)]:
            return open_policy(signed, CityKeys.parse(keys_text))
    raise MalformedMessage("The policy kept on this terminal cannot be read; fetch it again.")

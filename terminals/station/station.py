"""What every terminal does besides its own job: enrol, keep its policy fresh, upload, ask."""

import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Self

from crypto import cbor, keys
from crypto.wire import ids
from crypto.wire.body import Body
from crypto.wire.policy import Policy
from crypto.wire.query import NONCE_BYTES, Query, SignedQuery, sign_query
from terminals.client import Send, ServiceClient, ServiceRefused, ServiceUnreachable
from terminals.outbox import (
    BATCH_ITEMS_MAX,
    FORGOTTEN_MAX,
    OUTBOX_FILE,
    Identity,
    Newcomer,
    Outbox,
    Refusal,
    SignedBatch,
    Stored,
    enrolment_key,
    load_identity,
    save_identity,
)
from terminals.settings import Clock, SystemClock, TerminalSettings
from terminals.station.answers import ItemResult, read_result
from terminals.station.denials import DenyKeeper
from terminals.station.errors import NoDenyList, NoPolicy, OtherKind, PolicyTooOld, ReceiptInvalid
from terminals.station.fetching import fetch
from terminals.station.floor import ClockFloor
from terminals.station.holder import Authorise, CityCard, check_not_denied
from terminals.station.keeper import PolicyKeeper
from terminals.station.news import News, news_at

_BAD_REQUEST, _TOO_MANY = 400, 429
_FORGOTTEN_TIMES = 4  # a transaction takes some milliseconds, in which nobody can tap


@dataclass(frozen=True, slots=True)
class Uploaded:
    """What one upload did. `waiting` is what still has no answer."""

    sent: int
    accepted: int
    rejected: int
    waiting: int


class Station:
    """An enrolled terminal with its outbox open, on one home folder."""

    def __init__(
        self,
        settings: TerminalSettings,
        identity: Identity,
        client: ServiceClient,
        *,
        clock: Clock,
        random_bytes: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        self.settings = settings
        self.identity = identity
        self.client = client
        self.clock = clock
        self.random_bytes = random_bytes
        self.outbox = Outbox(settings.home / OUTBOX_FILE, identity, random_bytes=random_bytes)
        self.policies = PolicyKeeper(settings.home / "policy.cbor", identity.city_keys)
        self.denials = DenyKeeper(settings.home / "denylist.cbor")
        self._floor = ClockFloor(settings.home / "newest-time")

    @classmethod
    def open(
        cls,
        settings: TerminalSettings,
        *,
        send: Send | None = None,
        clock: Clock | None = None,
        random_bytes: Callable[[int], bytes] = secrets.token_bytes,
    ) -> Self:
        """Raises: NotEnrolled, OtherKind, OutboxForeign."""
        client = ServiceClient(settings.service_url, send)
        identity = load_identity(settings.home)
        if identity.kind is not settings.kind:
            raise OtherKind(identity.kind, settings.kind)
        return cls(settings, identity, client, clock=clock or SystemClock(), random_bytes=random_bytes)

    def close(self) -> None:
        self.outbox.close()

    def now_ms(self) -> int:
        return self.clock.now_ms()

    def policy(self) -> Policy:
        """The policy in force now, with the deny list that it names. Raises: NoPolicy, PolicyTooOld, ClockBehind,
        NoDenyList.
        """
        now_ms = self.now_ms()
        self._floor.check(now_ms)
        policy = self.policies.in_force(now_ms)
        self.denials.covering(policy.deny_number)
        return policy

    def news(self) -> News:
        """How old the city's news are here. Raises: NoPolicy."""
        return news_at(self.policies.current(), self.now_ms())

    def check_not_denied(self, card: CityCard) -> None:
        """Raises: CardDenied; NoPolicy."""
        check_not_denied(card, self.policies.current(), self.denials.current())

    def owes(self, card: CityCard) -> bool:
        """Whether the list here says that its holder owes a fare. The card is good all the same: only a gate asks."""
        denials = self.denials.current()
        return denials is not None and denials.owes(card.card_id)

    def refresh(self, *, take_list: int = 0) -> Policy:
        """Fetch the policy and the deny list that it names, and keep both. The list comes first: if we stop between
        them, the policy here still stands, with a list that is newer than it needs. `take_list` is the number of a list
        that was held back (`MassDenial`) and that somebody who asked the city takes all the same.

        Raises: ServiceUnreachable, InvalidSignature, DenyListRefused; the policy here stays.
        """
        signed = self.client.policy()
        policy = self.policies.newer(signed)
        denials = fetch(self.denials, self.client, policy, take_list)
        self._floor.saw(max(policy.issued_at_ms, denials.issued_at_ms if denials else 0))
        return self.policies.keep(signed)

    def fresh_policy(self) -> Policy:
        """The policy in force, fetched first when the one here is not (never, or too long ago)."""
        try:
            return self.policy()
        except (NoPolicy, PolicyTooOld, NoDenyList):
            self.refresh()
            return self.policy()

    def upload(self) -> Uploaded:
        """Send what waits, oldest first, until all of it is answered.

        Raises:
            ServiceUnreachable: what was answered so far is kept, the rest waits. ServiceRefused: the service took
            nothing of a batch; every record stays, the reason is in `outbox.refusal()`. ReceiptInvalid.
        """
        sent = accepted = rejected = 0
        while signed := self.outbox.batch(now_ms=self.now_ms(), policy_number=self._policy_number()):
            results = self._send_batch(signed)
            named = {result.record_id for result in results}
            self.outbox.record_results(results)
            sent += len(signed.record_ids)
            accepted += sum(result.outcome == "accepted" for result in results)
            rejected += sum(result.outcome != "accepted" for result in results)
            # A service that does not answer for what it was sent must not be asked for ever.
            if len(signed.record_ids) < BATCH_ITEMS_MAX or not named.issuperset(signed.record_ids):
                break
        return Uploaded(sent, accepted, rejected, self.outbox.waiting())

    def settle(self, stored: Stored) -> Stored:
        """Ask for the answer to a record now. Without one it stays waiting, to be asked again: never made again."""
        with suppress(ServiceUnreachable, ServiceRefused, ReceiptInvalid):
            self.upload()
        return self.outbox.find(stored.record_id)

    def sync(self, *, take_list: int = 0) -> Uploaded:
        """Upload, then fetch the policy: what is owed to the city goes first. `take_list` as `refresh`."""
        done = self.upload()
        self.refresh(take_list=take_list)
        return done

    def forget(self, kind: int, age_ms: int) -> int:
        """Delete records of this kind that the city took, that have their receipt and are older than that, by the
        newest time that the city signed: this terminal's clock may run ahead. A part of many; how many that were.
        """
        before_ms = self._floor.newest_ms - age_ms
        forgotten = 0
        for _ in range(_FORGOTTEN_TIMES):
            some = self.outbox.forget(kind, before_ms)
            forgotten += some
            if some < FORGOTTEN_MAX:
                break
        return forgotten

    def signed_query(self, content: Body, authorise: Authorise) -> bytes:
        """A question under the card's fresh signature and the terminal's."""
        now_ms = self.now_ms()
        query = Query.of(
            content,
            query_id=ids.uuid7(now_ms, self.random_bytes(ids.RANDOM_BYTES)),
            terminal_id=self.identity.device_id,
            nonce=self.random_bytes(NONCE_BYTES),
            at_ms=now_ms,
        )
        encoded = query.encode()
        return sign_query(SignedQuery(encoded, tuple(authorise(encoded))), self.identity.signer)

    def _send_batch(self, signed: SignedBatch) -> tuple[ItemResult, ...]:
        try:
            told = self.client.upload(signed.content)
        except ServiceRefused as refused:
            # Only a verdict on the batch is kept as one: a service that is busy or broken says nothing about us.
            if _BAD_REQUEST <= refused.status < _TOO_MANY:
                self.outbox.record_refusal(Refusal(self.now_ms(), refused.code, refused.detail))
            raise
        city_keys = self.policies.keys()
        pairs = zip(told.results, signed.record_ids, strict=False)
        read = (read_result(answer, sent, city_keys, told.answered_at_ms) for answer, sent in pairs)
        results = tuple(result for result in read if result)
        self._floor.saw(max((result.recorded_at_ms or 0 for result in results), default=0))
        return results

    def _policy_number(self) -> int:
        try:
            return self.policies.current().number
        except NoPolicy:
            return 0


def enrol(settings: TerminalSettings, code: str, *, send: Send | None = None) -> Identity:
    """Make the key, ask the city to take this terminal in, keep the answer and the city's keys.

    If we stop anywhere, asking again with the same code is the same enrolment: the key is on disk first.

    Raises: ServiceUnreachable; ServiceRefused: the code is unknown, used by another terminal, or too old.
    """
    client = ServiceClient(settings.service_url, send)
    signer = enrolment_key(settings.home)
    answer = client.enrol(code, keys.spki(signer.public_key), signer.sign(enrolment_statement(code, signer.public_key)))
    newcomer = Newcomer(answer.device_id, answer.certificate, client.city_keys())
    return save_identity(settings.home, settings.kind, settings.name, newcomer)


def enrolment_statement(code: str, public_key: keys.PublicKey) -> bytes:
    """What the terminal's key signs to prove that the terminal holds it."""
    return cbor.encode(["city.enrol", 1, code, keys.spki(public_key)])

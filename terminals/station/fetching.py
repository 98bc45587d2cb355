"""Bringing the deny list to what a policy names: by a step from the list here, else by the whole list."""

from crypto.errors import CryptoError
from crypto.wire.denylist import DenyList
from crypto.wire.policy import Policy
from terminals.client import ServiceClient, ServiceRefused
from terminals.station.denials import DenyKeeper
from terminals.station.errors import DenyListRefused, MassDenial, NoDenyList


def fetch(keeper: DenyKeeper, client: ServiceClient, policy: Policy, taken: int = 0) -> DenyList | None:
    """The list that the policy names, or a later one; None where it names none and none is here.

    A step that does not fit, is somebody else's or is not offered is no failure: the whole list follows.

    Raises: ServiceUnreachable, ServiceRefused; DenyListRefused, InvalidSignature, MalformedMessage: the whole list is
    not the city's, or not what the policy names; MassDenial, unless its number is `taken` by hand. No older list takes
    the place of the one here.
    """
    try:
        return keeper.covering(policy.deny_number)
    except NoDenyList:
        pass
    if keeper.base_number():
        try:
            keeper.keep_delta(client.deny_delta(keeper.base_number()), policy.city_keys, taken=taken)
            return keeper.covering(policy.deny_number)
        except MassDenial:
            raise  # the whole list would say the same
        except (ServiceRefused, CryptoError, DenyListRefused, NoDenyList):
            pass
    fetched = keeper.keep_list(client.deny_list(), policy.city_keys, taken=taken)
    if fetched.number < policy.deny_number:
        raise DenyListRefused(f"it is number {fetched.number}, and the policy names number {policy.deny_number}")
    return fetched

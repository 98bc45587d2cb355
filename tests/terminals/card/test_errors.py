from terminals import card


def test_every_error_has_a_code_of_its_own_and_ends_as_a_sentence() -> None:
    def below(kind: type[card.CardError]) -> list[type[card.CardError]]:
        return [kind, *(deeper for sub in kind.__subclasses__() for deeper in below(sub))]

    kinds = below(card.CardError)
    assert len({kind.code for kind in kinds}) == len(kinds) > 25
    for error in (card.CardRemoved(), card.NoCard("Reader"), card.PinRejected(1), card.NotAPivCard()):
        assert str(error).endswith(".")

from tests.hsm_fixtures import hsm, softhsm

__all__ = ["hsm", "softhsm"]

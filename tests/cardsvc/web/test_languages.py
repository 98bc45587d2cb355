from flask.testing import FlaskClient


def lang(client: FlaskClient, path: str = "/page", accept: str = "") -> str:
    answer = client.get(path, headers={"Accept-Language": accept})
    assert f'<html lang="{answer.headers["Content-Language"]}"' in answer.text
    return answer.headers["Content-Language"]


def test_the_browser_says_which_language_until_the_reader_does(client: FlaskClient) -> None:
    assert lang(client) == "en"
    assert lang(client, accept="fil-PH,fil;q=0.9,en;q=0.8") == "fil"
    assert lang(client, accept="tl") == "fil"
    assert lang(client, accept="de") == "en"
    assert lang(client, "/page?lang=fil") == "fil"
    assert lang(client, accept="en") == "fil"  # the cookie remembers
    assert lang(client, "/page?lang=en", accept="fil") == "en"
    assert lang(client, accept="fil") == "en"


def test_an_unknown_language_changes_nothing(client: FlaskClient) -> None:
    answer = client.get("/page?lang=xx")
    assert answer.headers["Content-Language"] == "en"
    assert not any(cookie.startswith("city-lang") for cookie in answer.headers.getlist("Set-Cookie"))


def test_the_page_offers_itself_in_the_other_language(client: FlaskClient) -> None:
    assert 'href="/page?q=1&amp;lang=fil" lang="fil"' in client.get("/page?q=1").text

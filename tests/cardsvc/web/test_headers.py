import re

from flask.testing import FlaskClient

from tests.cardsvc.web.conftest import Make

HTTPS = {"public_url": "https://card.example.ph"}


def test_the_callers_request_id_comes_back_unless_it_is_odd(client: FlaskClient) -> None:
    assert (
        client.get("/livez", headers={"X-Request-Id": "counter-1.00042"}).headers["X-Request-Id"] == "counter-1.00042"
    )
    for odd in ("short", "x" * 65, "has space in it", "semi;colon;;;"):
        made = client.get("/livez", headers={"X-Request-Id": odd}).headers["X-Request-Id"]
        assert re.fullmatch("[0-9a-f]{32}", made)


def test_only_scripts_with_this_answers_nonce_may_run(client: FlaskClient) -> None:
    first, second = client.get("/page"), client.get("/page")
    policies = [answer.headers["Content-Security-Policy"] for answer in (first, second)]
    nonces = [re.findall("'nonce-([^']+)'", policy)[0] for policy in policies]
    assert nonces[0] != nonces[1]
    assert "default-src 'none'" in policies[0]
    assert "unsafe" not in policies[0]
    assert "frame-ancestors 'none'" in policies[0]
    scripts = re.findall("<script[^>]*>", first.text)
    assert len(scripts) == 2
    assert all(f'nonce="{nonces[0]}"' in script for script in scripts)
    assert " style=" not in first.text


def test_answers_are_kept_by_nobody_and_assets_are(client: FlaskClient) -> None:
    assert client.get("/page").headers["Cache-Control"] == "no-store"
    assert client.get("/v1/nowhere").headers["Cache-Control"] == "no-store"
    with client.get("/static/city.css") as asset:
        assert "max-age=3600" in asset.headers["Cache-Control"]


def test_hsts_and_secure_cookies_come_with_https_alone(make_client: Make) -> None:
    plain, secure = make_client().get("/page?lang=fil"), make_client(**HTTPS).get("/page?lang=fil")
    assert "Strict-Transport-Security" not in plain.headers
    assert "max-age=" in secure.headers["Strict-Transport-Security"]
    cookies = secure.headers.getlist("Set-Cookie")
    assert len(cookies) == 2
    assert all("Secure" in cookie and "HttpOnly" in cookie and "SameSite=Lax" in cookie for cookie in cookies)
    assert any(cookie.startswith("__Host-city-form=") for cookie in cookies)


def test_a_page_takes_a_form_only_with_its_own_token(client: FlaskClient) -> None:
    assert client.post("/page").status_code == 400
    page = client.get("/page").text
    token = re.findall('name="csrf_token" value="([^"]+)"', page)[0]
    assert client.post("/page", data={"csrf_token": token}).text == "taken"
    assert client.post("/page", data={"csrf_token": token[:-1]}).status_code == 400


def test_the_api_needs_no_form_token(client: FlaskClient) -> None:
    assert client.post("/v1/orders/notes/kept").status_code == 200

# The service and the terminals' programs in one image; the demo city is not in it.

# pyscard has no wheel for Linux: it is compiled here, and the compiler stays behind.
FROM python:3.11-slim-bookworm AS build
RUN apt-get update \
    && apt-get install -y --no-install-recommends gcc libc6-dev libpcsclite-dev \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /opt/cardsvc
COPY requirements.lock requirements-terminal.lock ./
RUN python -m venv .venv \
    && .venv/bin/pip install --no-cache-dir --require-hashes -r requirements.lock \
    && .venv/bin/pip install --no-cache-dir --require-hashes -r requirements-terminal.lock

# The same Debian generation as the host's pcscd: client library and daemon speak one protocol version.
FROM python:3.11-slim-bookworm
RUN apt-get update \
    && apt-get install -y --no-install-recommends libpcsclite1 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --no-create-home --home-dir /var/lib/cardsvc --shell /usr/sbin/nologin cardsvc \
    && install -d -o 10001 -g 10001 -m 700 /var/lib/cardsvc
WORKDIR /opt/cardsvc
COPY --from=build /opt/cardsvc/.venv .venv
COPY pyproject.toml LICENSE ./
COPY cli cli
COPY crypto crypto
COPY terminals terminals
COPY cardsvc cardsvc

# Production refuses demo credentials, so this image does not start without a passphrase and a public URL of its own.
ENV CITY_ENV=production \
    CITY_HOME=/var/lib/cardsvc \
    CITY_BIND_HOST=0.0.0.0 \
    CITY_TERMINAL_HOME=/var/lib/cardsvc/terminal \
    PYTHONPATH=/opt/cardsvc \
    PYTHONSAFEPATH=1 \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1
USER 10001
VOLUME /var/lib/cardsvc
EXPOSE 8080
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --retries=3 \
    CMD [".venv/bin/python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8080/readyz', timeout=4)"]
ENTRYPOINT ["/opt/cardsvc/.venv/bin/python", "-m", "cli"]
CMD ["serve"]

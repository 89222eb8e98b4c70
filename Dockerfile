# Build: what a running gateway needs, as the lock says, in an environment of its own. The base image is named by digest
# too (docs/operations.md, "The image", says how it is renewed); which index serves the packages is the build machine's
# setting (docs/adr/0002-lock-without-a-registry.md).
FROM python:3.11.15-slim-bookworm@sha256:b18992999dbe963a45a8a4da40ac2b1975be1a776d939d098c647482bcad5cba AS build
ARG PIP_INDEX_URL
ARG UV_DEFAULT_INDEX
ENV PIP_NO_CACHE_DIR=1 \
    UV_NO_CACHE=1
WORKDIR /src
COPY pyproject.toml uv.lock README.md LICENSE ./
COPY tools/install.sh tools/uv.version tools/
COPY adapters adapters
COPY gateway gateway
COPY routing_rules routing_rules
RUN PYTHON=python3 FOR=running VENV=/opt/gateway TOOLS=/opt/tools sh tools/install.sh

# Run: no compiler, no installer in the environment, no root. Nothing outside of /data is written, so that the root file
# system may be read-only; /tmp should be a tmpfs, for SQLite when a sort does not fit its memory.
FROM python:3.11.15-slim-bookworm@sha256:b18992999dbe963a45a8a4da40ac2b1975be1a776d939d098c647482bcad5cba
LABEL org.opencontainers.image.title="erp-coexistence-gateway" \
      org.opencontainers.image.licenses="Apache-2.0"
RUN groupadd --system --gid 10001 gateway \
 && useradd --system --uid 10001 --gid gateway --no-create-home --shell /usr/sbin/nologin gateway \
 && install -d -o gateway -g gateway -m 0700 /data
COPY --from=build /opt/gateway /opt/gateway
# In a container the loopback address would reach nobody, whatever gateway.toml says of it.
ENV PATH=/opt/gateway/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    ERP_GATEWAY_DATA=/data \
    ERP_GATEWAY_HTTP__HOST=0.0.0.0 \
    ERP_GATEWAY_HTTP__PORT=8080
# By number, so that an orchestrator can tell that it is not root.
USER 10001:10001
VOLUME /data
EXPOSE 8080
STOPSIGNAL SIGTERM
# http.client and not urllib, which would ask a proxy that the environment names.
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s CMD ["python", "-c", "import http.client, os, sys; c = http.client.HTTPConnection('127.0.0.1', int(os.environ['ERP_GATEWAY_HTTP__PORT']), timeout=2); c.request('GET', '/health/live'); sys.exit(c.getresponse().status != 200)"]
ENTRYPOINT ["erp-gateway"]
CMD ["serve", "--data", "/data"]

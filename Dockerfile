# Build: the locked dependencies, without those of development, in a virtual environment.
FROM python:3.11-slim AS build
WORKDIR /src
COPY pyproject.toml uv.lock README.md LICENSE ./
COPY tools/uv.version tools/uv.version
RUN python -m venv /opt/gateway \
 && python -m venv /opt/uv \
 && /opt/uv/bin/pip install --no-cache-dir "uv==$(sed -n 's/^# uv //p' tools/uv.version)"
# As tools/install.sh does. The lock names versions and hashes but no registry: the index is the build machine's setting
# (docs/adr/0002-lock-without-a-registry.md).
RUN /opt/uv/bin/uv export --quiet --frozen --no-default-groups --group build --no-emit-project \
        --format requirements-txt --output-file /tmp/locked.txt \
 && VIRTUAL_ENV=/opt/gateway /opt/uv/bin/uv pip install --no-cache --compile-bytecode --require-hashes \
        --requirement /tmp/locked.txt
COPY adapters adapters
COPY gateway gateway
COPY routing_rules routing_rules
RUN VIRTUAL_ENV=/opt/gateway /opt/uv/bin/uv pip install --no-cache --compile-bytecode --no-deps --no-build-isolation .

# Run: no compiler, no uv, no root. The root file system may be read-only: only /data is written, and /tmp by SQLite when
# a sort does not fit its memory.
FROM python:3.11-slim
RUN useradd --system --uid 10001 --no-create-home gateway && install -d -o gateway -g gateway -m 0700 /data
COPY --from=build /opt/gateway /opt/gateway
# In a container the loopback address would reach nobody, whatever gateway.toml says of it.
ENV PATH=/opt/gateway/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    ERP_GATEWAY_DATA=/data \
    ERP_GATEWAY_HTTP__HOST=0.0.0.0 \
    ERP_GATEWAY_HTTP__PORT=8080
USER gateway
VOLUME /data
EXPOSE 8080
STOPSIGNAL SIGTERM
# http.client and not urllib, which would ask a proxy that the environment names.
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s CMD ["python", "-c", "import http.client, os, sys; c = http.client.HTTPConnection('127.0.0.1', int(os.environ['ERP_GATEWAY_HTTP__PORT']), timeout=2); c.request('GET', '/health/live'); sys.exit(c.getresponse().status != 200)"]
ENTRYPOINT ["erp-gateway"]
CMD ["serve", "--data", "/data"]

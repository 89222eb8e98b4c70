# Build: the locked dependencies, without those of development, in a virtual environment.
FROM python:3.11-slim AS build
WORKDIR /src
COPY pyproject.toml uv.lock README.md LICENSE ./
COPY tools/uv.version tools/uv.version
RUN python -m venv /opt/gateway \
 && python -m venv /opt/uv \
 && /opt/uv/bin/pip install --no-cache-dir "uv==$(sed -n 's/^# uv //p' tools/uv.version)"
# The lock names versions and hashes but no registry: the index is the build machine's setting.
RUN /opt/uv/bin/uv export --quiet --frozen --no-default-groups --group build --no-emit-project \
        --format requirements-txt --output-file /tmp/locked.txt \
 && VIRTUAL_ENV=/opt/gateway /opt/uv/bin/uv pip install --no-cache --compile-bytecode --require-hashes \
        --requirement /tmp/locked.txt
COPY adapters adapters
COPY gateway gateway
COPY routing_rules routing_rules
RUN VIRTUAL_ENV=/opt/gateway /opt/uv/bin/uv pip install --no-cache --compile-bytecode --no-deps --no-build-isolation .

# Run: no compiler, no uv, no root; the root file system may be read-only, /data is a volume.
FROM python:3.11-slim
RUN useradd --system --uid 10001 --no-create-home gateway && install -d -o gateway -g gateway -m 0700 /data
COPY --from=build /opt/gateway /opt/gateway
ENV PATH=/opt/gateway/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 ERP_GATEWAY_DATA=/data
USER gateway
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8080/health/live', timeout=2)"]
ENTRYPOINT ["erp-gateway"]
CMD ["serve"]

# The controller on an empty file system: the program, its shared objects, time
# zones for templates, licences and a list of what is in it; no shell, no
# package manager, no certificates of others. "make image" builds and tries it.
#
#   docker build -t sealed-secrets-controller:v0.1.0 .

ARG BASE=docker.io/library/debian:trixie
FROM ${BASE} AS build
RUN apt-get update && \
    DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends gcc libc6-dev make pkg-config \
        libcrypt-dev libcurl4-openssl-dev libgnutls28-dev libjansson-dev \
        libmicrohttpd-dev libpcre2-dev libssl-dev libutf8proc-dev libyaml-dev tzdata \
        tzdata-legacy uthash-dev zlib1g-dev && \
    rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
ARG VERSION=v0.1.0
RUN make BUILD_VERSION="$VERSION"

# Every file gets the time of the source, so that two builds are alike.
FROM build AS collect
ARG VERSION=v0.1.0
ARG SOURCE_DATE_EPOCH=0
RUN .ci/collect-libs build/controller /image && \
    cp -a --parents /usr/share/zoneinfo /usr/share/doc/tzdata/copyright /image && \
    install -D -m 0644 LICENSE /image/usr/share/doc/sealed-secrets-controller/copyright && \
    .ci/sbom build/controller "$VERSION" "$SOURCE_DATE_EPOCH" \
        > /image/usr/share/doc/sealed-secrets-controller/sbom.spdx.json && \
    find /image -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +

FROM scratch
ARG VERSION=v0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="sealed-secrets-controller" \
      org.opencontainers.image.description="Sealed Secrets controller, in C" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=collect /image /
ENV PATH=/usr/bin
# No cache of freed blocks in each thread of glibc: it cannot be trimmed, and
# malloc() is not what the program waits for.
ENV GLIBC_TUNABLES=glibc.malloc.tcache_count=0
# Any other user id will do as well.
USER 65532:65532
EXPOSE 8080 8081
ENTRYPOINT ["controller"]

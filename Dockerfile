# The controller on an empty file system: the program, its shared objects, time
# zones for templates, and nothing else; no shell, no package manager, no
# certificates of others.
#
#   docker build -t sealed-secrets-controller:v0.1.0 .

FROM debian:trixie AS build
RUN apt-get update && \
    apt-get install -y --no-install-recommends gcc libc6-dev make pkg-config \
        libcrypt-dev libcurl4-openssl-dev libjansson-dev libmicrohttpd-dev \
        libpcre2-dev libssl-dev libutf8proc-dev libyaml-dev tzdata \
        tzdata-legacy uthash-dev zlib1g-dev && \
    rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
RUN make

FROM build AS collect
RUN .ci/collect-libs build/controller /image && \
    cp -a --parents /usr/share/zoneinfo /usr/share/doc/tzdata/copyright /image

FROM scratch
COPY --from=collect /image /
ENV PATH=/usr/bin
# Any other user id will do as well.
USER 65532:65532
EXPOSE 8080 8081
ENTRYPOINT ["controller"]

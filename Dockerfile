# The controller on an empty file system: the program, its shared objects and
# nothing else; no shell, no package manager, no certificates of others.
#
#   docker build -t sealed-secrets-controller:v0.1.0 .

FROM debian:trixie AS build
RUN apt-get update && \
    apt-get install -y --no-install-recommends gcc libc6-dev make pkg-config \
        libcurl4-openssl-dev libjansson-dev libmicrohttpd-dev libssl-dev \
        libyaml-dev uthash-dev && \
    rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
RUN make

FROM build AS collect
RUN .ci/collect-libs build/controller /image

FROM scratch
COPY --from=collect /image /
ENV PATH=/usr/bin
# Any other user id will do as well.
USER 65532:65532
EXPOSE 8080 8081
ENTRYPOINT ["controller"]

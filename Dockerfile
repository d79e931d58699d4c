# The shop: built on Debian 12 by the project's own scripts, run with nothing but its libraries.
FROM debian:12 AS build
COPY . /thalweg
WORKDIR /thalweg
RUN scripts/install-dependencies && scripts/build release shop

FROM debian:12-slim
RUN apt-get update \
  && apt-get install -y --no-install-recommends \
    ca-certificates libfmt9 libgoogle-perftools4 liblz4-1 librdkafka1 librocksdb7.8 libspdlog1.10 \
    libssl3 libtomlplusplus3 \
  && rm -rf /var/lib/apt/lists/*
COPY --from=build /thalweg/build/release/apps/commerce/shop /usr/local/bin/shop
VOLUME /data
ENTRYPOINT ["shop", "--data-dir", "/data"]

# SPDX-License-Identifier: Apache-2.0
# docker build -t lanerope . && docker run -it lanerope run -m /models/model.gguf "..."   (mount your models on /models)
FROM debian:trixie AS build
RUN sed -i 's/^Suites: trixie trixie-updates$/Suites: trixie trixie-updates trixie-backports/' \
      /etc/apt/sources.list.d/debian.sources
COPY script/packages.txt /tmp/packages.txt
RUN apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
      ca-certificates npm python3-pip $(sed -e '/^# the clients/,$d' -e 's/#.*//' /tmp/packages.txt) && rm -rf /var/lib/apt/lists/*
COPY . /src
WORKDIR /src
RUN script/lib/fetch-jinja && script/lib/fetch-grammar && script/lib/fetch-page-libraries && cmake --preset release && cmake --build --preset release && cmake --install build/release
ENTRYPOINT ["lanerope"]
CMD ["--help"]

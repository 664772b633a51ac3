#!/bin/bash
#
# An export of the keys to one recipient, whose key this is.
# shellcheck disable=SC2154,SC2164
cd "$scratch"
openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem \
    -days 2 -subj /CN=docs
echo keys | openssl cms -encrypt -outform PEM -aes-256-gcm -out keys.pem \
    -recip cert.pem -keyopt rsa_padding_mode:oaep

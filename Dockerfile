# Packs what `make binary` has built; nothing is compiled here. The context is the folder that make fills.
FROM scratch

ARG VERSION
ARG REVISION
LABEL org.opencontainers.image.title="tokensource" \
      org.opencontainers.image.description="Keeps OAuth access tokens fresh in Kubernetes Secrets and says exactly why when it can't" \
      org.opencontainers.image.source="https://github.com/tokensource/tokensource" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"

# The first place where the binary looks for root certificates; SSL_CERT_FILE names another.
COPY --chmod=0644 ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --chmod=0755 tokensource /tokensource

# A number, so that `runAsNonRoot` can be checked without a user database.
USER 65532:65532
EXPOSE 8080
ENTRYPOINT ["/tokensource"]

//! Values that users come with.

/// A name for the case, and its values beside the image.
pub const CASES: [(&str, &str); 15] = [
    ("defaults", ""),
    ("namespaces", "namespaces: [team-a, team-b]"),
    ("its own namespace only", "namespaces: [chart-cases]"),
    ("everything on", EVERYTHING),
    ("host network", "hostNetwork: true\nmetrics: {port: 18080, bindAddress: \"[::]\"}\ntolerations: [{operator: Exists}]"),
    (
        "one replica without election",
        "replicas: 1\nleaderElection: {enabled: false}\nserviceAccountTokens: {enabled: true}\nnamespaces: [team-a]",
    ),
    ("nothing that others own", "crds: {install: false}\nserviceAccount: {create: false, name: theirs}\nrbac: {create: false}"),
    (
        "as little as possible",
        "service: {enabled: false}\npodDisruptionBudget: {enabled: false}\ntopologySpreadConstraints: []\nresources: {requests: null, limits: null}",
    ),
    ("a digest", "image: {tag: ignored, digest: \"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\"}"),
    ("pull secrets and other names", "imagePullSecrets: [{name: pull}]\nfullnameOverride: keeper\ncommonLabels: {team: identity}"),
    ("names that are numbers", "nameOverride: \"22\"\nnamespaces: [\"33\"]"),
    ("scheduling", SCHEDULING),
    ("a certificate of our own", CERTIFICATES),
    ("reach", REACH),
    ("admission", "admissionPolicy: {enabled: true, unlabelledNamespaces: Allow, validationActions: [Warn, Audit], tokenHosts: {}}"),
];

const EVERYTHING: &str = r#"
serviceMonitor: {enabled: true, labels: {release: prometheus}}
prometheusRule: {enabled: true, labels: {release: prometheus}}
dashboard: {enabled: true, annotations: {folder: Identity}}
networkPolicy:
  enabled: true
  metricsFrom: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: monitoring}}}]
  apiServer: {ports: [6443], cidrs: [10.0.0.0/24]}
  tokenEndpoints: {ports: [443, 3128], cidrs: [192.0.2.0/24, "2001:db8::/32"]}
  extraEgress: [{ports: [{port: 8443, protocol: TCP}]}]
admissionPolicy: {enabled: true, tokenHosts: {group: ["*.example.com", login.example.org], partner: [sso.example.net]}}
serviceAccountTokens: {enabled: true, trustedAudiences: ["api://partner", "https://sso.example.net/realms/op"]}
log: {format: text, filter: "warn,tokensource=debug"}
"#;

const SCHEDULING: &str = r#"
replicas: 3
priorityClassName: system-cluster-critical
nodeSelector: {kubernetes.io/os: linux}
tolerations: [{key: dedicated, operator: Equal, value: identity, effect: NoSchedule}]
affinity: {podAntiAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{topologyKey: kubernetes.io/hostname, labelSelector: {matchLabels: {app.kubernetes.io/name: tokensource}}}]}}
topologySpreadConstraints:
  - {maxSkew: 1, topologyKey: topology.kubernetes.io/zone, whenUnsatisfiable: DoNotSchedule}
  - {maxSkew: 1, topologyKey: kubernetes.io/hostname, whenUnsatisfiable: DoNotSchedule, labelSelector: {matchLabels: {team: identity}}}
strategy: {type: RollingUpdate, rollingUpdate: {maxSurge: 0, maxUnavailable: 50%}}
dnsConfig: {options: [{name: ndots, value: "1"}]}
dnsPolicy: Default
podLabels: {team: identity, app.kubernetes.io/name: never}
podAnnotations: {cluster-autoscaler.kubernetes.io/safe-to-evict: "true"}
deploymentAnnotations: {reloader: "false"}
podDisruptionBudget: {maxUnavailable: 50%}
terminationGracePeriodSeconds: 60
"#;

const CERTIFICATES: &str = r"
extraEnv: [{name: SSL_CERT_FILE, value: /certs/ca.crt}]
extraVolumes: [{name: certs, configMap: {name: company-ca}}]
extraVolumeMounts: [{name: certs, mountPath: /certs, readOnly: true}]
extraArgs: [--concurrency=8]
";

const REACH: &str = r#"
labelSelector: shard in (a, b),!legacy
concurrency: 65535
endpointConcurrency: 1
endpointRate: 1000000
minRefreshInterval: 1m
egress:
  allowHosts: ["*.example.com"]
  requireAllowedHosts: true
  allowCidrs: [10.0.0.0/8, "fd00::/8"]
  denyCidrs: [10.1.0.0/16]
  allowHttp: true
"#;

/// Values that can't be meant, and what the message must say.
pub const WRONG: [(&str, &str); 15] = [
    ("replicaCount: 2", "replicaCount"),
    ("replicas: two", "replicas"),
    ("image: {repository: x, digest: latest}", "digest"),
    ("namespaces: Team-A", "namespaces"),
    ("namespaces: [Team_A]", "namespaces"),
    ("egress: {allowCidrs: [10.0.0.0]}", "allowCidrs"),
    ("egress: {allowHost: [a]}", "allowHost"),
    ("metrics: {port: 0}", "port"),
    ("log: {format: xml}", "format"),
    ("minRefreshInterval: soon", "minRefreshInterval"),
    ("terminationGracePeriodSeconds: 5", "terminationGracePeriodSeconds"),
    ("admissionPolicy: {tokenHosts: {group: [\"https://example.com\"]}}", "tokenHosts"),
    ("admissionPolicy: {tokenHosts: {group: [\"*\"]}}", "tokenHosts"),
    ("leaderElection: {enabled: false}", "replicas must be 1"),
    ("serviceMonitor: {enabled: true}\nservice: {enabled: false}", "service.enabled"),
];

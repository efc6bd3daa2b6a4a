"""Texts as Azure, Helm, Kubernetes and the health check word them, each with the code that it must be explained by.

(code, scope, text): the code must come first among the explanations of the text.
"""

from __future__ import annotations

import json

WRAPPED = (
    "(ExtensionOperationFailed) The extension operation failed with the following error:  Error: [ InnerError: [Helm "
    "installation failed : Unable to create/update Kubernetes resources for the extension : Recommendation Please check "
    "that there are no policies blocking the resource creation/update for the extension : InnerError [{helm}]]] occurred "
    "while doing the operation : [Create] on the config, For general troubleshooting visit: "
    "https://aka.ms/k8s-extensions-TSG, For more application specific troubleshooting visit: Troubleshooting: "
    "https://aka.ms/arcmltsg."
)
OLD = (
    "(ExtensionCreationFailed) error: Error: {{Helm installation from path [] for release [amlarc-extension] failed with "
    "the following error: err [{helm}]}} occurred while doing the operation : {{Installing the extension}} on the config"
)
ROLLED_BACK = "release azureml-extension failed, and has been uninstalled due to atomic being set: "


def new(helm: str) -> str:
    """Helm's text in the wrapping of 2023 and later."""
    return WRAPPED.format(helm=helm)


def old(helm: str) -> str:
    """Helm's text in the wrapping of 2021 and 2022."""
    return OLD.format(helm=helm)


def refused(code: str) -> str:
    """The answer of machine learning in which the code that says why stands in the details."""
    details = [{"code": code, "message": "x"}]
    return json.dumps({"error": {"code": "BadRequest", "message": "The request is invalid.", "details": details}})


ARM: list[tuple[str, str, str]] = [
    (
        "SecondExtension",
        "arm",
        "(ValidationFailed) Validation failed: multiple extensions of same type are not allowed at this scope.",
    ),
    (
        "ExtensionAutoUpgradeCannotBeEnabled",
        "arm",
        "(ExtensionAutoUpgradeCannotBeEnabled) Auto upgrade cannot be enabled when a version is given.",
    ),
    (
        "ExtensionPatchFailed",
        "arm",
        "(ExtensionPatchFailed) The PATCH method cannot be completed due to a conflict. (ProvisioningState of extension: Creating). Please wait for a few minutes.",
    ),
    (
        "AuthorizationFailed",
        "arm",
        "The client 'a' with object id 'b' does not have authorization to perform action 'Microsoft.KubernetesConfiguration/extensions/write' over scope '/subscriptions/0'.",
    ),
    (
        "AuthorizationFailed",
        "arm",
        "(AuthorizationFailed) The client 'a' does not have authorization to perform action 'Microsoft.ContainerService/managedclusters/extensionaddons/read' over scope '/subscriptions/0'.",
    ),
    (
        "AddonTokenInvalid",
        "arm",
        'Request failed to https://management.azure.com/subscriptions/0/managedclusters/c/extensionaddons/e?api-version=2021-03-01. Error code: Unauthorized. Reason: Unauthorized.{"error":{"code":"InvalidAuthenticationToken","message":"x"}}',
    ),
    (
        "ResourceNotFound",
        "arm",
        "(ResourceNotFound) The Resource 'Microsoft.Kubernetes/connectedClusters/c' under resource group 'g' was not found.",
    ),
    ("ResourceNotFound", "arm", "(ResourceNotFound) Extension instance with name 'x' not found."),
    ("ResourceGroupNotFound", "arm", "(ResourceGroupNotFound) Resource group 'g' could not be found."),
    (
        "ParentResourceNotFound",
        "arm",
        "Failed to perform 'write' on resource(s) of type 'workspaces/computes', because the parent resource '/x' could not be found.",
    ),
    (
        "InvalidResourceType",
        "arm",
        "The resource type could not be found in the namespace 'Microsoft.Kubernetes' for api version '2001-01-01'.",
    ),
    (
        "MissingSubscriptionRegistration",
        "arm",
        "The subscription is not registered to use namespace 'Microsoft.KubernetesConfiguration'. See https://aka.ms/rps-not-found for how to register subscriptions.",
    ),
    (
        "RequestDisallowedByPolicy",
        "arm",
        "(RequestDisallowedByPolicy) Resource 'azureml-extension' was disallowed by policy. Policy identifiers: '[]'.",
    ),
    (
        "ScopeLocked",
        "arm",
        "(ScopeLocked) The scope '/subscriptions/0/resourceGroups/ml-rg' cannot perform write operation because following scope(s) are locked: '/subscriptions/0'.",
    ),
    ("RoleAssignmentExists", "arm", "(RoleAssignmentExists) The role assignment already exists."),
    (
        "UnmatchedPrincipalType",
        "arm",
        "(UnmatchedPrincipalType) The PrincipalId 'x' has type 'ServicePrincipal', which is different from specified PrinciaplType 'User'.",
    ),
    (
        "SubscriptionRequestsThrottled",
        "arm",
        "Number of 'read' requests for subscription 's' actor 'a' exceeded. Please try again after '1' seconds after additional tokens are available.",
    ),
    (
        "SubscriptionRequestsThrottled",
        "arm",
        "Number of requests for subscription 's' and operation 'POST/x' exceeded the backend storage limit. Please try again after '6' seconds.",
    ),
    (
        "ResourceRequestsThrottled",
        "arm",
        "Number of requests for action 'x/read' exceeded the limit of '50' for time interval '00:05:00'. Please try again after '372' seconds.",
    ),
    ("TooManyRequests", "arm", '{"error":{"code":"TooManyRequests","message":"slow down"}}'),
    (
        "ExpiredAuthenticationToken",
        "arm",
        "The access token expiry UTC time '8/20/2024 4:48:40 PM' is earlier than current UTC time '8/20/2024 4:48:46 PM'.",
    ),
    (
        "BadGatewayConnection",
        "arm",
        "The network connectivity issue encountered for 'Microsoft.MachineLearningServices'; cannot fulfill the request.",
    ),
    (
        "GatewayTimeout",
        "arm",
        "The gateway did not receive a response from 'Microsoft.MachineLearningServices' within the specified time period.",
    ),
    (
        "StatusNotPopulated",
        "arm",
        "(ExtensionCreationFailed) error: Unable to get the status from the local CRD with the error : {Error : Retry for given duration didn't get any results with err {status not populated}}",
    ),
    (
        "VersionNotResolved",
        "arm",
        "Failed to resolve the extension version from the given values. InnerError: 'Extension type 'x' does not support release train 'stable' for version '1.2.99'.",
    ),
    (
        "ServicePrincipalCluster",
        "arm",
        "Extensions are only supported on clusters using Managed Service Identity. See https://aka.ms/aks-extensions-service-principal-not-supported",
    ),
    (
        "ConfigAgentMissing",
        "arm",
        "(ExtensionOperationFailed) unable to add the configuration with configId {extension:x} due to error: {Unable to store the extension config update on the cluster's api-server : Recommendation Please ensure the config-agent exists on a healthy node : InnerError [x]}",
    ),
    ("InvalidStatusOK", "arm", "azure.core.exceptions.HttpResponseError: Operation returned an invalid status 'OK'"),
    ("PeerModuleMissing", "arm", "The command failed with an unexpected error: No module named 'azure.mgmt.relay'"),
    (
        "NamespaceScopeRefused",
        "arm",
        "Invalid scope 'namespace'. This extension can't be installed only at cluster scope.",
    ),
    ("AksAddonManagerBlocked", "arm", "pod extension-manager-7c9 is unschedulable: every pool is tainted"),
]

HELM: list[tuple[str, str, str]] = [
    ("HelmTimeout", "helm", new(ROLLED_BACK + "timed out waiting for the condition")),
    ("HelmTimeout", "helm", new(ROLLED_BACK + "context deadline exceeded")),
    ("HelmTimeout", "helm", old(ROLLED_BACK + "failed pre-install: job failed: BackoffLimitExceeded")),
    ("HealthcheckFailed", "helm", new(ROLLED_BACK + "failed pre-install: pod healthcheck failed")),
    ("HealthcheckFailed", "helm", old(ROLLED_BACK + "failed pre-install: pod healthcheck failed")),
    ("HealthcheckFailed", "helm", new("pre-upgrade hooks failed: pod healthcheck failed")),
    (
        "OwnershipConflict",
        "helm",
        new(
            'rendered manifests contain a resource that already exists. Unable to continue with install: ClusterRole "azureml-fe-role" in namespace "" exists and cannot be imported into the current release: invalid ownership metadata; label validation error'
        ),
    ),
    ("OwnershipConflict", "helm", "Resource already existing in your cluster"),
    ("ReleaseNameInUse", "helm", new("cannot re-use a name that is still in use")),
    ("HelmOperationInProgress", "helm", new("another operation (install/upgrade/rollback) is in progress")),
    ("HelmOperationInProgress", "helm", "Earlier operation for the helm chart is still in progress"),
    (
        "NamespaceTerminating",
        "helm",
        new("unable to create new content in namespace azureml because it is being terminated"),
    ),
    ("ChartPathNotFound", "helm", old("failed in download: chart path not found")),
    ("ChartDownloadFailed", "helm", new("Unable to download the Helm chart from the repo URL")),
    ("ChartRenderingFailed", "helm", new("Helm chart rendering failed with given values")),
    (
        "AdmissionWebhookEmpty",
        "helm",
        new(
            'failed calling webhook "validate.nginx.ingress.kubernetes.io": no endpoints available for service "azureml-ingress-nginx-controller-admission"'
        ),
    ),
    ("SecondIngressClass", "helm", "There is a second nginx class in the cluster"),
    ("IngressOutOfMemory", "helm", "azureml-ingress-nginx-controller-7b was OOMKilled"),
    ("OperatorOutOfMemory", "helm", "extension-operator-7d was OOMKilled"),
    ("NoPemData", "helm", "gateway: tls: failed to find any PEM data in certificate input"),
]

HEALTH: list[tuple[str, str, str]] = [
    (code, "health", f"Status: Failed Name: {checker} ErrorCode: {code} ErrorMessage: {message}")
    for code, checker, message in [
        ("E40000", "service", "unknown error"),
        ("E40001", "service", "load balancer is not supported"),
        ("E40002", "clusterresource", "insufficient node"),
        ("E40003", "service", "internal load balancer is not supported"),
        ("E40004", "inferencev1", "azureml-fe deployment not found"),
        ("E40005", "inferencev1", "azureml-fe scale up timeout"),
        ("E40006", "inferencev1", "update replicas failed"),
        ("E40007", "service", "invalid ssl setting"),
        ("E45001", "info", "agent unhealthy"),
        ("E45002", "helmchart", "prometheus conflict"),
        ("E45003", "info", "bad network connectivity"),
        ("E45004", "clusterresource", "role conflict"),
        ("E45005", "inferencev1", "Azureml Fe deployment confict"),
        ("E45006", "instancetype", "failed to validate or update instancetype"),
        ("E49999", "info", "checker panic"),
    ]
]

COMPUTE: list[tuple[str, str, str]] = [
    (
        code,
        scope,
        refused(code),
    )
    for scope, codes in {
        "compute": [
            "GenericComputeError",
            "ComputeNotFound",
            "ComputeNotAccessible",
            "InvalidComputeInformation",
            "InvalidComputeNoKubernetesConfiguration",
        ],
        "cluster": [
            "GenericClusterError",
            "ClusterNotReachable",
            "ClusterNotFound",
            "ClusterServiceNotFound",
            "ClusterUnauthorized",
            "RefreshExtensionIdentityNotSet",
            "KubernetesUnaccessible",
            "InvalidCertificate",
            "InferencingClientCallFailed",
            "ExtensionNotInstalled",
        ],
        "workload": [
            "NamespaceNotFound",
            "EndpointAlreadyExists",
            "EndpointNotFound",
            "ScoringFeUnhealthy",
            "ValidateScoringFailed",
            "InvalidDeploymentSpec",
            "PodUnschedulable",
            "PodOutOfMemory",
            "CrashLoopBackOff",
            "ImagePullLoopBackOff",
            "ACRSecretError",
            "GetAADTokenFailed",
            "ACRAuthenticationChallengeFailed",
            "ACRTokenExchangeFailed",
        ],
    }.items()
    for code in codes
] + [
    ("RefreshExtensionIdentityNotSet", "cluster", "(TokenRefreshFailed) token"),
    ("CrashLoopBackOff", "workload", '{"code":"UserScriptCrashLoopBackOff","message":"x"}'),
    (
        "InferencingClientCallFailed",
        "workload",
        "(InferencingClientCallFailed) Can't delete deployment [d] with non-zero traffic weight, Current traffic [100].",
    ),
    ("ExtensionNotConnectable", "cluster", "The k8s-extension is not connectable"),
    ("ExtensionNotInstalled", "cluster", "AzureML extension is not installed on the cluster"),
    ("AksRoleCheckFailed", "cluster", "AKS role check failed for the identity"),
    (
        "InternalServerError",
        "compute",
        "(InternalServerError) An internal server error occurred. If the problem persists, contact support",
    ),
    ("RelayMissing", "cluster", "RelayResource id or connection string is not provided"),
    ("UnknownComputeTarget", "compute", "Unknown compute target 'k8s'"),
    ("CrossSubscription", "compute", "The cluster is in a different subscription"),
    (
        "NullReference",
        "compute",
        "System.NullReferenceException: Object reference not set to an instance of an object.",
    ),
    ("Conflict", "workload", "HTTP 409: an operation on the endpoint is in progress"),
]

JOB: list[tuple[str, str, str]] = [
    ("E45004", "job", 'Azure Machine Learning Kubernetes job failed. E45004:"Training feature is not enabled"'),
    ("RegularJobUnsupported", "job", "Cluster does not support job type RegularJob"),
    ("Code9", "job", 'Invalid instance type "gpu". Code: 9'),
    (
        "Code9",
        "job",
        '{"Msg":"Invalid instance type. The instance type defined resource requirement has exceeded the node size","Code":9}',
    ),
    ("Code9", "job", "AMLArc job failed: Code 9: the instancetype asks for too much"),
    ("ExitCode137", "job", "Azure Machine Learning Kubernetes job failed. 137: the sidecar"),
    ("TokenServiceRefused", "job", "Job failed: status 400 from the token service"),
    ("CsiCredentialsMissing", "job", "Failed to acquire CSI storage account credentials: no response"),
    (
        "CsiCredentialsForbidden",
        "job",
        "Failed to acquire CSI storage account credentials: status 403, does not have authorization for listKeys",
    ),
    ("NoStorageCredential", "job", "UserErrorException: Give either an account key or SAS token"),
    ("BlobAuthorizationFailed", "job", "AzureBlob authorization failed"),
    ("DownloadModeUnsupported", "job", "no volume plugin matched name: azure/blobfuse"),
]

POD: list[tuple[str, str, str]] = [
    ("ImagePullTimeout", "pod", 'Failed to pull image "mcr.microsoft.com/azureml/amlarc/gateway:1.1.71": dial tcp: i/o timeout'),
    ("InsufficientResources", "scheduler", "0/1 nodes are available: 1 Insufficient cpu."),
    ("UntoleratedTaint", "scheduler", "0/3 nodes are available: 3 node(s) had untolerated taint {gpu: true}."),
    ("NodeSelectorMismatch", "scheduler", "0/3 nodes are available: 3 node(s) didn't match Pod's node affinity/selector."),
    ("OOMKilled", "pod", "container main was OOMKilled"),
    ("QuotaExceeded", "admission", 'pods "gateway-1" is forbidden: exceeded quota: small, requested: pods=1, used: pods=5, limited: pods=5'),
    ("MountSecretMissing", "pod", 'MountVolume.SetUp failed for volume "ssl" : secret "tls" not found'),
    ("CreateContainerConfigError", "pod", "pod gateway-1: CreateContainerConfigError"),
    ("QuotaOfSubscription", "arm", "Error syncing load balancer: failed to ensure load balancer: PublicIPCountLimitReached"),
    ("WrongArchitecture", "pod", "exec /manager: exec format error"),
    ("SecurityContextForbidden", "admission", 'pods "gateway-1" is forbidden: unable to validate against any security context constraint: []'),
    ("NodeNotReady", "pod", "0/1 nodes are available: 1 node(s) were not ready."),
    ("LoadBalancerPending", "pod", "service azureml-fe: EXTERNAL-IP <pending>"),
    ("CrashLoopBackOff", "workload", "Back-off restarting failed container main in pod gateway-1"),
]  # fmt: skip

TEXTS = [*ARM, *HELM, *HEALTH, *COMPUTE, *JOB, *POD]

# What only wraps a cause: alone it is all that can be said, so it comes last elsewhere.
WRAPPERS = [
    "ExtensionOperationFailed",
    "ExtensionCreationFailed",
    "ResourceOperationFailure",
    "DeploymentFailed",
    "InvalidTemplateDeployment",
    "ResourceDeploymentFailure",
    "InstallationFailed",
    "BadRequest",
    "UserError",
    "MultipleErrorsOccurred",
    "ExtensionUpdateFailed",
]

# Public reports of users (repository, number): what they were shown, and the answer that they would have needed.
REPORTS: list[tuple[str, str, str]] = [
    ("azure-cli-extensions 5477", old(ROLLED_BACK + "failed pre-install: pod healthcheck failed"), "HealthcheckFailed"),
    ("terraform-provider-azurerm 24547", new(ROLLED_BACK + "failed pre-install: pod healthcheck failed"), "HealthcheckFailed"),
    ("AML-Kubernetes 271", "Status: Failed Name: clusterresource ErrorCode: E40002 ErrorMessage: Insufficient node", "E40002"),
    ("azure-sdk-for-python 33480", "Status: Failed Name: instancetype ErrorCode: E45006 ErrorMessage: failed to validate or update instancetype", "E45006"),
    ("AML-Kubernetes 158", "Unable to get the status from the local CRD with the error : {Error : status not populated}", "StatusNotPopulated"),
    ("AML-Kubernetes 162", old('ClusterRole "amlarc" in namespace "" exists and cannot be imported into the current release: invalid ownership metadata'), "OwnershipConflict"),
    ("AML-Kubernetes 293", "Status: Failed Name: inferencev1 ErrorCode: E45005 ErrorMessage: Azureml Fe deployment confict", "E45005"),
    ("AML-Kubernetes 297", 'Internal error occurred: no endpoints available for service "azureml-ingress-nginx-controller-admission"', "AdmissionWebhookEmpty"),
    ("azure_arc 1213", "Operation returned an invalid status 'OK'", "InvalidStatusOK"),
    ("AML-Kubernetes 283", "Invalid scope 'namespace'. This extension can't be installed only at cluster scope", "NamespaceScopeRefused"),
    ("azure-cli 27357", "No module named 'azure.mgmt.relay'", "PeerModuleMissing"),
    ("AML-Kubernetes 280", "(AuthorizationFailed) no authorization to perform action 'Microsoft.ContainerService/managedclusters/extensionaddons/read'", "AuthorizationFailed"),
    ("azure-cli 26680", "(ExtensionAutoUpgradeCannotBeEnabled) x", "ExtensionAutoUpgradeCannotBeEnabled"),
    ("AML-Kubernetes 155", '{"status":"Failed","error":{"code":"InternalServerError","message":"An internal server error occurred."}}', "InternalServerError"),
    ("AML-Kubernetes 249", "System.NullReferenceException: Object reference not set to an instance of an object", "NullReference"),
    ("azure-ml-federated-learning 334", 'Invalid instance type "x" … Code 9', "Code9"),
    ("AKS 3359", "extension-operator pods pending, no healthy node", "AksAddonManagerBlocked"),
    ("AKS 4543", "{Unable to store the extension config update on the cluster's api-server : Recommendation Please ensure the config-agent exists on a healthy node}", "ConfigAgentMissing"),
    ("AML-Kubernetes 279", "AKS role check failed", "AksRoleCheckFailed"),
    ("azure-sdk-for-python 33451", "(RefreshExtensionIdentityNotSet) x", "RefreshExtensionIdentityNotSet"),
    ("AML-Kubernetes 26", 'namespaces "training" not found', "NamespaceNotFound"),
    ("AML-Kubernetes 118", "Unknown compute target", "UnknownComputeTarget"),
    ("azure-docs 97274", 'Request failed to https://x/extensionaddons/y?api-version=2021-03-01. Error code: Unauthorized {"error":{"code":"InvalidAuthenticationToken"}}', "AddonTokenInvalid"),
    ("flux2 4462", "Extensions are only supported on clusters using Managed Service Identity.", "ServicePrincipalCluster"),
    ("azure-cli-extensions 9457", "(ResourceNotFound) The Resource 'Microsoft.ContainerService/managedClusters/c' under resource group 'g' was not found.", "ResourceNotFound"),
]  # fmt: skip

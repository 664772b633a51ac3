/*
 * What the two ways to a struct kube_config share.
 */
#ifndef KUBE_KUBECONFIG_H
#define KUBE_KUBECONFIG_H

#include "kube/config.h"

/* "controller/<version> (linux/<arch>)": the API server takes the part before
 * the slash as the name of the field manager. Owned by the caller. */
char *kubeconfig_user_agent(const char *version);
/* Whether a text holds a PEM certificate at all. */
bool kubeconfig_is_pem_certificate(const char *text);
/* POD_NAMESPACE where it is a valid namespace, else NULL. Borrowed. */
const char *kubeconfig_env_namespace(void);

#endif

/*
 * What the ways to a struct kube_config share.
 */
#ifndef KUBE_KUBECONFIG_H
#define KUBE_KUBECONFIG_H

#include "kube/config.h"

/* "controller/<version> (linux/<arch>)": the API server takes the part before
 * the slash as the name of the field manager. Owned by the caller. */
char *kubeconfig_user_agent(const char *version);
/* Whether a file can be read and holds a PEM certificate at all. */
int kubeconfig_check_authority(const char *path, struct err *err) MUST_CHECK;
/* POD_NAMESPACE where it is a valid namespace, else NULL. Borrowed. */
const char *kubeconfig_env_namespace(void);

#endif

/*
 * The part of a controller manager that the server needs: dependents whose
 * owners are gone are deleted, and namespaces that end are emptied.
 */
#ifndef APISERVER_GC_H
#define APISERVER_GC_H

void gc_start(void);

#endif

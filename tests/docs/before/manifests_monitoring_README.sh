#!/bin/bash
#
# The kinds of the Prometheus operator.
operator_kinds

/* SPDX-License-Identifier: MIT */
#include "form.h"

bool without_stack;

// The module file: conversion and GIL release only, no arithmetic.
#include <nanobind/nanobind.h>

namespace nb = nanobind;

NB_MODULE(_core, m) {
    m.doc() = "Isthmus feature engine: arrays in, numbers out.";
}

// The module file: conversion and GIL release only, no arithmetic.
#include "rooms.hpp"

NB_MODULE(_core, m) {
    m.doc() = "Isthmus feature engine: arrays in, numbers out. Axis order (k, j, i).";
    isthmus::bindings::bind_convolution(m);
    isthmus::bindings::bind_features(m);
    isthmus::bindings::bind_filters(m);
    isthmus::bindings::bind_intensity(m);
    isthmus::bindings::bind_kmeans(m);
    isthmus::bindings::bind_maps(m);
    isthmus::bindings::bind_mixture(m);
    isthmus::bindings::bind_morphology(m);
    isthmus::bindings::bind_pathology(m);
    isthmus::bindings::bind_resample(m);
    isthmus::bindings::bind_supervoxels(m);
    isthmus::bindings::bind_texture(m);
}

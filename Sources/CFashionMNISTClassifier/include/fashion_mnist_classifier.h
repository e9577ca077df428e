#ifndef DDPM_FASHION_MNIST_CLASSIFIER_H
#define DDPM_FASHION_MNIST_CLASSIFIER_H

#include <stddef.h>

/// The contents of weights/fashion-mnist-classifier.safetensors, and their size.
const void *ddpm_fashion_mnist_classifier(void);
size_t ddpm_fashion_mnist_classifier_count(void);

#endif

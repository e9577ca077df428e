#include "fashion_mnist_classifier.h"

// The file is found through the target's header search path.
__asm__(".section .rodata\n"
        ".balign 64\n"
        "ddpm_fashion_mnist_classifier_start:\n"
        ".incbin \"fashion-mnist-classifier.safetensors\"\n"
        "ddpm_fashion_mnist_classifier_end:\n"
        ".previous\n");

extern const unsigned char ddpm_fashion_mnist_classifier_start[];
extern const unsigned char ddpm_fashion_mnist_classifier_end[];

const void *ddpm_fashion_mnist_classifier(void) { return ddpm_fashion_mnist_classifier_start; }

size_t ddpm_fashion_mnist_classifier_count(void) {
  return (size_t)(ddpm_fashion_mnist_classifier_end - ddpm_fashion_mnist_classifier_start);
}

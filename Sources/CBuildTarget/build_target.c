#include "build_target.h"

const unsigned ddpm_build_features = 0
#ifdef __AVX__
    | DDPM_FEATURE_AVX
#endif
#ifdef __AVX2__
    | DDPM_FEATURE_AVX2
#endif
#ifdef __FMA__
    | DDPM_FEATURE_FMA
#endif
#ifdef __BMI2__
    | DDPM_FEATURE_BMI2
#endif
#ifdef __F16C__
    | DDPM_FEATURE_F16C
#endif
#ifdef __AVX512F__
    | DDPM_FEATURE_AVX512F
#endif
#ifdef __AVX512BW__
    | DDPM_FEATURE_AVX512BW
#endif
#ifdef __AVX512DQ__
    | DDPM_FEATURE_AVX512DQ
#endif
#ifdef __AVX512VL__
    | DDPM_FEATURE_AVX512VL
#endif
#ifdef __AVX512VBMI__
    | DDPM_FEATURE_AVX512VBMI
#endif
#ifdef __AVX512VNNI__
    | DDPM_FEATURE_AVX512VNNI
#endif
#ifdef __AVX512BF16__
    | DDPM_FEATURE_AVX512BF16
#endif
#ifdef __AVX512FP16__
    | DDPM_FEATURE_AVX512FP16
#endif
    ;

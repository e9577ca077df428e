#pragma once
#include <stddef.h>

// BLAS's and LAPACK's Fortran routines, column-major, with 32-bit integers. Fortran passes everything by address, and
// the lengths of strings by value after all other arguments.

/// The eigenvalues, ascending, and eigenvectors of a symmetric matrix, which the eigenvectors overwrite.
void dsyevd_(const char *job, const char *triangle, const int *n, double *matrix, const int *leading, double *values,
             double *work, const int *work_count, int *integers, const int *integer_count, int *info, size_t job_length,
             size_t triangle_length);

/// A matrix's singular value decomposition.
void dgesdd_(const char *job, const int *rows, const int *columns, double *matrix, const int *leading, double *values,
             double *u, const int *leading_u, double *vt, const int *leading_vt, double *work, const int *work_count,
             int *integers, int *info, size_t job_length);

/// C = alpha·op(A)·op(B) + beta·C.
void dgemm_(const char *operation_a, const char *operation_b, const int *rows, const int *columns, const int *depth,
            const double *alpha, const double *a, const int *leading_a, const double *b, const int *leading_b,
            const double *beta, double *c, const int *leading_c, size_t operation_a_length, size_t operation_b_length);

void openblas_set_num_threads(int count);

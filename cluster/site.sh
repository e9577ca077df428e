# shellcheck shell=bash disable=SC2034 # common.sh reads the variables
# What differs between clusters. All batch scripts of this folder read it, on the first machine of the job.
#
# sbatch reads its own options before that, from the #SBATCH lines and from the environment, which wins. So for the
# lines of the first part to count, read this file in the shell that you submit from, too:
#   source cluster/site.sh
# or give these options to each sbatch.

# --- Where jobs go

# export SBATCH_PARTITION=NAME
# export SBATCH_ACCOUNT=NAME
# export SBATCH_QOS=NAME
# export SBATCH_TIMELIMIT=24:00:00

# --- What the program needs

# Open MPI, the same that the program was built with, if your cluster has it as a module.
# module load openmpi

# The program that scripts/build.sh made, at a path that every machine sees. If their processors differ from those of
# the machine that it was built on, build with DDPM_MARCH (see scripts/build.sh).
program=${PROGRAM:-$repository/.build/release/ddpm-mpi}

# How ranks are started. srun knows the allocation best, but needs SLURM built with PMIx (`srun --mpi=list` tells).
# mpirun is Open MPI's own launcher, which finds the allocation by itself, and notices a cut link sooner.
launcher=${LAUNCHER:-srun}

# More options for srun or mpirun, such as --distribution=block:block or --mca pml ucx.
read -ra launcher_options <<<"${LAUNCHER_OPTIONS:-}"

# --- The network

# Which interface Open MPI's TCP connections take, for data and for its own messages. Needed if machines have several
# and not all of them lead to the others.
# export OMPI_MCA_btl_tcp_if_include=eth0 OMPI_MCA_oob_tcp_if_include=eth0

# When mpirun gives up a machine that it cannot reach: after keepalive_time seconds of silence it asks every intvl
# seconds, and after so many probes without an answer ends the job. Open MPI's own 300, 20 and 9 take eight minutes. An
# outage shorter than this does no harm. srun does not look at these: SLURM gives up a machine after its SlurmdTimeout.
export OMPI_MCA_oob_tcp_keepalive_time=${OMPI_MCA_oob_tcp_keepalive_time:-4}
export OMPI_MCA_oob_tcp_keepalive_intvl=${OMPI_MCA_oob_tcp_keepalive_intvl:-2}
export OMPI_MCA_oob_tcp_keepalive_probes=${OMPI_MCA_oob_tcp_keepalive_probes:-3}

# shellcheck shell=bash disable=SC2034 # common.sh reads the variables
# Settings that differ between clusters. All batch scripts of this folder read it, on the first machine of the job.
#
# sbatch reads its own options before that, from the #SBATCH lines and from the environment, which takes precedence. To
# apply the settings of the first part, also read this file in the shell that you submit from:
#   source cluster/site.sh
# or pass these options to each sbatch.

# --- Where jobs go

# export SBATCH_PARTITION=NAME
# export SBATCH_ACCOUNT=NAME
# export SBATCH_QOS=NAME
# export SBATCH_TIMELIMIT=24:00:00

# --- What the program needs

# The MPI library that the program was built with, if your cluster provides it as a module.
# module load openmpi

# The program built by scripts/build.sh, at a path that every machine can access. If their processors differ from that
# of the build machine, build with DDPM_MARCH (see scripts/build.sh).
program=${PROGRAM:-$repository/.build/release/ddpm-mpi}

# How ranks are started. srun is best integrated with SLURM, but must have an interface of the MPI library: pmix for
# Open MPI, pmi2 for MPICH, cray_shasta for Cray's MPICH (`srun --mpi=list` shows all). If it has none, mpirun is taken.
# mpirun is the MPI library's own launcher, which finds the allocation by itself and notices a cut link sooner.
launcher=${LAUNCHER:-srun}
mpirun=${MPIRUN:-mpirun}

# More options for srun or mpirun, such as --distribution=block:block or --mca pml ucx. --mpi=NAME is taken instead of
# the interface above.
read -ra launcher_options <<<"${LAUNCHER_OPTIONS:-}"

# --- The network

# The interface of Open MPI's TCP connections, for data and for its own messages. Needed if machines have several
# interfaces and not all of them lead to the other machines. The second line is MPICH's, the third Intel MPI's.
# export OMPI_MCA_btl_tcp_if_include=eth0 OMPI_MCA_oob_tcp_if_include=eth0 PRTE_MCA_oob_tcp_if_include=eth0
# export HYDRA_IFACE=eth0 UCX_NET_DEVICES=eth0
# export I_MPI_HYDRA_IFACE=eth0 FI_TCP_IFACE=eth0

# Intel MPI needs SLURM's library of PMI-2 for srun; without it, mpirun is taken.
# export I_MPI_PMI_LIBRARY=/usr/lib64/libpmi2.so

# When mpirun gives up on a machine that it cannot reach: after keepalive_time seconds of silence it probes the machine
# every keepalive_intvl seconds, and ends the job after keepalive_probes probes without an answer. Open MPI's defaults
# of 300, 20 and 9 take eight minutes. A shorter outage does no harm. Open MPI 4 reads the variables that begin with
# OMPI, Open MPI 5 the others. srun ignores all of them: SLURM gives up on a machine after its SlurmdTimeout.
export OMPI_MCA_oob_tcp_keepalive_time=${OMPI_MCA_oob_tcp_keepalive_time:-4}
export OMPI_MCA_oob_tcp_keepalive_intvl=${OMPI_MCA_oob_tcp_keepalive_intvl:-2}
export OMPI_MCA_oob_tcp_keepalive_probes=${OMPI_MCA_oob_tcp_keepalive_probes:-3}
export PRTE_MCA_oob_tcp_keepalive_time=${PRTE_MCA_oob_tcp_keepalive_time:-4}
export PRTE_MCA_oob_tcp_keepalive_intvl=${PRTE_MCA_oob_tcp_keepalive_intvl:-2}
export PRTE_MCA_oob_tcp_keepalive_probes=${PRTE_MCA_oob_tcp_keepalive_probes:-3}

# The mpirun of MPICH and Intel MPI does not notice lost machines, so the program does it for them, after this many
# seconds of silence; none turns it off. Under Open MPI, whose mpirun waits for a lost machine after such an end, leave
# it unset.
# export DDPM_LINK_TIMEOUT=10

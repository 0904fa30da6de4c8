"""Command line of the simulated beamline: one IOC, or both with their environment."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

from sim_iocs.detector_faults import fault_argument, faults_help
from sim_iocs.drivers import DRIVERS
from sim_iocs.listing import add_records_parser, print_records
from sim_iocs.network import Ports, apply, check_free, server_environment
from sim_iocs.processes import die_with_parent
from sim_iocs.serval_options import add_parser
from twinbeam.errors import TwinbeamError

__all__ = ["main"]

_OUTPUT = """\
What 'all' prints, and nothing else:
  ioc NAME pid=N port=N prefix=PREFIX    one line an IOC
  export NAME=VALUE                      environment of a client, quoted for the shell
  READY                                  clients can connect now
It runs until SIGINT or SIGTERM (status 0), until an IOC ends (status 1), or until the process
named by --parent-pid is gone. The IOCs end with it, however it ends.
"""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m sim_iocs",
        description="Simulated beamline on loopback Channel Access. Without a command: both IOCs.",
        epilog=_OUTPUT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    both = commands.add_parser(
        "all",
        help="both IOCs; prints the environment of a client",
        epilog=f"{_OUTPUT}\n{faults_help()}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    one = commands.add_parser("beamline", help="goniometer, shutter, ring, intensity monitor")
    two = commands.add_parser(
        "detector",
        help="Timepix3 detector",
        epilog=faults_help(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_parser(commands)
    add_records_parser(commands)
    for each in (both, one, two):
        each.add_argument("--seed", type=int, default=1, help="seed of all random numbers")
        each.add_argument("--fast", action="store_true", help="instruments answer at once")
        each.add_argument("--beamline-prefix", default="SIM:", metavar="PREFIX")
        each.add_argument("--verbose", action="store_true", help="show warnings of the servers")
        each.add_argument("--parent-pid", type=int, help="end when this process is gone")
        each.add_argument(
            "--beamline-file", type=Path, metavar="FILE", help="YAML description of the beamline"
        )
    for each in (both, one):
        each.add_argument("--theta-start-deg", type=float, help="goniometer at the start (11.526)")
    for each in (both, two):
        each.add_argument("--detector-prefix", default="TPX3-TEST:", metavar="PREFIX")
        each.add_argument("--pair-rate-hz", type=float, help="photon pairs a second")
        each.add_argument("--background-rate-hz", type=float, help="single photons a second")
        each.add_argument("--tdc-rate-hz", type=float, help="pulses a second on TDC input 1")
        each.add_argument("--trigger-hz", type=float, help="pulses a second on the trigger input")
        each.add_argument(
            "--complete-after-s", type=float, help="how late raw files get their last bytes"
        )
        each.add_argument(
            "--fault",
            action="append",
            default=[],
            type=fault_argument,
            metavar="NAME[=VALUE]",
            help="start with a fault, see below; may be repeated",
        )
        each.add_argument(
            "--sample",
            metavar="SHAPE|PICTURE",
            help="none, spokes, disc, edge, slit, or a picture file; black absorbs",
        )
        each.add_argument("--sample-material", metavar="NAME", help="as xraydb knows it")
        each.add_argument("--sample-thickness-um", type=float, help="thickness of the sample")
        each.add_argument("--sample-width-mm", type=float, help="width of shape or picture")
        each.add_argument("--playback", type=Path, metavar="FILE", help="serve a recorded file")
        each.add_argument("--loop", action="store_true", help="play the file again and again")
        each.add_argument("--data-dir", type=Path, help="first folder of the raw files")
        each.add_argument(
            "--init",
            "--profile",
            dest="init",
            choices=("shipped", "bare"),
            default="shipped",
            help="values after the start: those of the driver's own init script, or none",
        )
        each.add_argument(
            "--driver",
            choices=DRIVERS,
            default=DRIVERS[0],
            help="version of the driver whose records and states are served",
        )
    both.add_argument(
        "--ports",
        type=Ports.parse,
        default=Ports(),
        metavar="B,D,R|free",
        help="ports of beamline, detector and repeater (5264,5265,5266), or 'free'",
    )
    both.add_argument("--env-file", type=Path, help="write the export lines to this file too")
    one.add_argument("--port", type=int, default=Ports().beamline)
    two.add_argument("--port", type=int, default=Ports().detector)
    two.add_argument(
        "--beamline", default=f"127.0.0.1:{Ports().beamline}", help="host:port of the beamline IOC"
    )
    two.add_argument(
        "--beam-timeout-s",
        type=float,
        default=5.0,
        help="how long the beamline IOC is waited for at the start (5); then there is no beam yet",
    )
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Run the command.

    Returns
    -------
    int
        0 when ended by a signal, 1 when something went wrong.
    """
    given = sys.argv[1:] if arguments is None else arguments
    if not given or (given[0].startswith("-") and given[0] not in ("-h", "--help")):
        given = ["all", *given]
    options = _parser().parse_args(given)
    try:
        if options.command == "all":
            from sim_iocs.supervisor import run_all

            return run_all(options)
        if options.command == "records":
            print_records(options)
            return 0
        if options.parent_pid is not None:
            die_with_parent(options.parent_pid)
        if options.command == "serval":
            if options.port:
                check_free(options.port)
            from sim_iocs.serval.command import run

            run(options)
            return 0
        check_free(options.port)
        apply(server_environment(options.port))
        if options.command == "beamline":
            _run_beamline(options)
        else:
            _run_detector(options)
    except TwinbeamError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def _run_beamline(options: argparse.Namespace) -> None:
    from sim_iocs.beamline import Beamline, BeamlineSettings
    from sim_iocs.server import serve

    make = BeamlineSettings.fast if options.fast else BeamlineSettings
    beamline = Beamline(
        make(
            prefix=options.beamline_prefix,
            seed=options.seed,
            theta_start_deg=options.theta_start_deg,
            file=options.beamline_file,
        )
    )
    serve(
        beamline.pvdb,
        [beamline.run],
        parent_pid=options.parent_pid,
        verbose=options.verbose,
    )


def _run_detector(options: argparse.Namespace) -> None:
    os.environ["EPICS_CA_ADDR_LIST"] = options.beamline
    os.environ["EPICS_CA_AUTO_ADDR_LIST"] = "NO"
    from sim_iocs.detector import Detector, DetectorSettings
    from sim_iocs.server import serve

    data_dir = options.data_dir or Path(tempfile.gettempdir())
    detector = Detector(
        DetectorSettings(
            prefix=options.detector_prefix,
            beamline_prefix=options.beamline_prefix,
            data_dir=data_dir.resolve(),
            seed=options.seed,
            fast=options.fast,
            pair_rate_hz=options.pair_rate_hz,
            background_rate_hz=options.background_rate_hz,
            playback=options.playback,
            loop=options.loop,
            init=options.init,
            driver=options.driver,
            tdc_rate_hz=options.tdc_rate_hz or 0.0,
            trigger_hz=options.trigger_hz or 0.0,
            complete_after_s=options.complete_after_s or 0.0,
            faults=tuple(options.fault),
            beamline_file=options.beamline_file,
            beam_timeout_s=options.beam_timeout_s,
            sample=(
                ("shape", options.sample),
                ("material", options.sample_material),
                ("thickness_um", options.sample_thickness_um),
                ("width_mm", options.sample_width_mm),
            ),
        )
    )
    serve(
        detector.pvdb,
        [detector.run],
        ready=detector.ready,
        parent_pid=options.parent_pid,
        verbose=options.verbose,
    )

"""The instruments of the beamline; the simulated ones unless EPICS_CA_ADDR_LIST says otherwise."""

from twinbeam.devices import connect, make_beamline

beamline = make_beamline(data_root=data_root)
tpx = beamline.detector
gonio = beamline.goniometer
theta = gonio.theta
shutter = beamline.shutter
ring = beamline.ring
monitor = beamline.monitor
connect(tpx, gonio, shutter, ring, monitor)

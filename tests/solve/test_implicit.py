"""Gradients at a fixed point: implicit, unrolled, closed form and finite differences agree."""

import copy
from dataclasses import replace
from functools import partial

import pytest
import torch

from ddeq.input.gallery import load_gallery
from ddeq.input.prepare import prepare
from ddeq.input.preprocess import collate
from ddeq.model.checkpoints import load
from ddeq.run.flows import flow_of
from ddeq.run.settings import with_defaults
from ddeq.solve.flow import Flow, StopRule
from ddeq.solve.implicit import GRADIENTS, implicit, phantom
from ddeq.solve.kernels import Gaussian, Riesz
from ddeq.solve.solvers import Euler, EulerDecay, Picard

N, D = 3, 4
close = partial(torch.testing.assert_close, rtol=1e-4, atol=1e-6)


def normal(*shape: int, seed: int = 0) -> torch.Tensor:
    g = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=g, dtype=torch.float64)


class Contraction(torch.nn.Module):
    """``F(z, x) = 0.6 tanh(z W + mean(z) V + x U)``, a contraction for these weights."""

    def __init__(self):
        super().__init__()
        self.W, self.V = (
            torch.nn.Parameter(0.5 * w / torch.linalg.matrix_norm(w, 2))
            for w in (normal(D, D), normal(D, D, seed=1))
        )
        self.U = torch.nn.Parameter(normal(2, D, seed=2))

    def forward(self, z, x):
        return 0.6 * torch.tanh(z @ self.W + z.mean(1, keepdim=True) @ self.V + x @ self.U)


@pytest.fixture
def problem():
    """An operator, its input and a loss on its equilibrium."""
    weight = normal(2, N, D, seed=5)
    return Contraction(), normal(2, 1, 2, seed=3), lambda z: (weight * z.sin()).sum()


def fixed_point(operator, x):
    z = torch.zeros(2, N, D, dtype=torch.float64)
    with torch.no_grad():
        for _ in range(100):
            z = operator(z, x)
    return z


def gradients(loss, operator, x):
    return torch.autograd.grad(loss, [*operator.parameters(), x])


@pytest.fixture
def by_implicit(problem):
    operator, x, loss = problem
    x = x.clone().requires_grad_()
    z = implicit(lambda z: operator(z, x), fixed_point(operator, x), tolerance=1e-12)
    return gradients(loss(z), operator, x)


def test_implicit_agrees_with_unrolling_plain_iterations(problem, by_implicit):
    operator, x, loss = problem
    x = x.clone().requires_grad_()
    z = normal(2, N, D, seed=7)
    for _ in range(60):
        z = operator(z, x)
    for a, b in zip(by_implicit, gradients(loss(z), operator, x), strict=True):
        close(a, b)
        assert a.abs().max() > 1e-3


def test_implicit_agrees_with_a_differentiable_picard_flow(problem, by_implicit):
    operator, x, loss = problem
    x = x.clone().requires_grad_()
    flow = Flow(
        lambda z: operator(z, x),
        normal(2, N, D, seed=7),
        solver=Picard(),
        stop=StopRule(60, 0.0),
        differentiable=True,
        velocity=False,
    )
    for a, b in zip(by_implicit, gradients(loss(flow.run().particles), operator, x), strict=True):
        close(a, b)


def test_implicit_agrees_with_an_unrolled_gradient_flow(problem):
    """One particle a cloud, so that an equilibrium of measures is one of vectors."""
    operator, x, _ = problem
    x = x.clone().requires_grad_()
    weight = normal(2, 1, D, seed=5)
    stop = StopRule(200, 0.0)
    flow = Flow(
        lambda z: operator(z, x),
        normal(2, 1, D, seed=7),
        solver=Euler(1.0),
        kernel=Gaussian(1.0),
        stop=stop,
        differentiable=True,
    )
    z = flow.run().particles
    unrolled = gradients((weight * z).sum(), operator, x)
    close(operator(z, x), z)
    z_star = implicit(lambda z: operator(z, x), z, tolerance=1e-12)
    for a, b in zip(gradients((weight * z_star).sum(), operator, x), unrolled, strict=True):
        close(a, b)


@pytest.mark.parametrize("kernel", [Riesz(), Riesz(1.0, 0.3), Gaussian(1.0)])
def test_unrolling_a_few_steps_is_the_derivative_of_those_steps(problem, kernel):
    """By finite differences in the input, far from any equilibrium."""
    operator, x, loss = problem

    def solved(x, differentiable):
        return Flow(
            lambda z: operator(z, x),
            normal(2, N, D, seed=7),
            solver=EulerDecay(0.5, 3.0),
            kernel=kernel,
            stop=StopRule(4, 0.0),
            differentiable=differentiable,
        ).run()

    along, h = normal(2, 1, 2, seed=8), 1e-6
    expected = (
        loss(solved(x + h * along, False).particles) - loss(solved(x - h * along, False).particles)
    ) / (2 * h)
    x = x.clone().requires_grad_()
    solution = solved(x, True)
    torch.testing.assert_close(solution.particles.detach(), solved(x.detach(), False).particles)
    (found,) = torch.autograd.grad(loss(solution.particles), x)
    torch.testing.assert_close((found * along).sum(), expected.detach(), rtol=1e-5, atol=1e-8)


def test_implicit_agrees_with_finite_differences_of_the_equilibrium(problem, by_implicit):
    operator, x, loss = problem
    along, h = normal(2, 1, 2, seed=8), 1e-5
    up, down = (loss(fixed_point(operator, x + s * h * along)) for s in (1, -1))
    close((by_implicit[-1] * along).sum(), ((up - down) / (2 * h)).detach())


def test_closed_form_for_a_linear_operator():
    """``z* = b (I - A)^-1``, so ``dL/db = (I - A^T)^-1 g`` row by row; phantom keeps only ``g``."""
    A = normal(D, D)
    A = 0.6 * A / torch.linalg.matrix_norm(A, 2)
    b, g = normal(1, N, D, seed=1).requires_grad_(), normal(1, N, D, seed=2)
    inverse = torch.linalg.inv(torch.eye(D) - A)
    z_star = (b @ inverse).detach()
    (exact,) = torch.autograd.grad((g * implicit(lambda z: z @ A + b, z_star, 1e-12)).sum(), b)
    torch.testing.assert_close(exact, g @ inverse.T)
    (first,) = torch.autograd.grad((g * phantom(lambda z: z @ A + b, z_star)).sum(), b)
    torch.testing.assert_close(first, g)


def test_phantom_is_the_first_term_of_the_neumann_series_of_implicit(problem, by_implicit):
    """``u = g + J^T g + ...``: phantom sends ``g`` through ``F``, implicit all of ``u``."""
    operator, x, loss = problem
    x = x.clone().requires_grad_()
    z_star = fixed_point(operator, x)
    z = z_star.clone().requires_grad_()
    image = operator(z, x)
    (g,) = torch.autograd.grad(loss(image), image, retain_graph=True)
    parameters = [*operator.parameters(), x]

    def through(u):
        return torch.autograd.grad(image, parameters, u, retain_graph=True)

    found = gradients(loss(phantom(lambda z: operator(z, x), z_star)), operator, x)
    for a, b in zip(found, through(g), strict=True):
        torch.testing.assert_close(a, b)
    u, term = g, g
    for _ in range(60):
        (term,) = torch.autograd.grad(image, z, term, retain_graph=True)
        u = u + term
    for a, b in zip(by_implicit, through(u), strict=True):
        close(a, b)
    assert not torch.allclose(found[-1], by_implicit[-1], rtol=1e-2)


@pytest.mark.parametrize("gradient", GRADIENTS.values())
def test_the_equilibrium_itself_is_unchanged(problem, gradient):
    operator, x, _ = problem
    z_star = fixed_point(operator, x)
    torch.testing.assert_close(gradient(lambda z: operator(z, x), z_star).detach(), z_star)


def test_single_precision_will_do(problem, by_implicit):
    operator, x, _ = problem
    z_star = fixed_point(operator, x).float()
    operator, x = operator.float(), x.float().requires_grad_()
    z = implicit(lambda z: operator(z, x), z_star)
    weight = normal(2, N, D, seed=5).float()
    for a, b in zip(gradients((weight * z.sin()).sum(), operator, x), by_implicit, strict=True):
        torch.testing.assert_close(a.double(), b, rtol=1e-3, atol=1e-4)


def test_where_there_is_no_exact_gradient_the_log_says_so_and_the_others_have_theirs(caplog):
    """``F(z) = z + b`` has ``I - J = 0``: no equilibrium depends smoothly on ``b``."""
    b, half = normal(3, N, D).requires_grad_(), torch.tensor([0.5, 1.0, 0.5]).double()
    g = normal(3, N, D, seed=2)
    z = implicit(lambda z: half[:, None, None] * z + b, normal(3, N, D, seed=1))
    (found,) = torch.autograd.grad((g * z).sum(), b)
    assert "1 of 3 clouds did not converge" in caplog.text
    torch.testing.assert_close(found[[0, 2]], 2 * g[[0, 2]])
    torch.testing.assert_close(found[1], g[1])  # the phantom gradient


def test_where_it_converges_the_log_is_silent(problem, caplog):
    operator, x, loss = problem
    z = implicit(lambda z: operator(z, x), fixed_point(operator, x))
    loss(z).backward()
    assert not caplog.text


def test_a_loss_of_the_image_alone_has_its_plain_gradient(problem):
    """How far ``F(z*)`` is from ``z*`` says nothing of how an equilibrium moves."""
    operator, x, loss = problem
    x, z_star = x.clone().requires_grad_(), normal(2, N, D, seed=6)
    image = operator(z_star, x)
    z = implicit(lambda z: operator(z, x), z_star, image=image)
    both = gradients(loss(image) + 0 * z.sum(), operator, x)
    plain = gradients(loss(operator(z_star, x)), operator, x)
    for a, b in zip(both, plain, strict=True):
        torch.testing.assert_close(a, b)


@pytest.fixture(scope="module")
def shipped():
    """The shipped digit model and 24 digits, solved as its card says."""
    checkpoint = load("digits")
    x, mask = collate([prepare(load_gallery().cloud(10 * i), checkpoint.card) for i in range(24)])
    settings = with_defaults(checkpoint.card, {})
    settings = replace(settings, limits=replace(settings.limits, steps=200))
    encoded, z0 = checkpoint.model.encode(x, mask), checkpoint.model.start(range(24))
    end = flow_of(encoded, z0, settings, velocity=False).run()
    return checkpoint.model, x, mask, end.particles


def of_digits(shipped, rows, dtype) -> torch.Tensor:
    """The implicit gradient of a loss in the digits' points, ``(B, M, 2)``."""
    model, x, mask, z = shipped
    model = copy.deepcopy(model).to(dtype)
    points = x[rows].to(dtype).requires_grad_()
    operator = partial(model.operator, context=model.operator.encode(points, mask[rows]))
    found = implicit(operator, z[rows].to(dtype))
    loss = model.logits(found).log_softmax(1)[:, 0].sum()
    return torch.autograd.grad(loss, points)[0]


def test_a_batch_of_real_digits_has_exact_gradients_in_single_precision(shipped, caplog):
    found = of_digits(shipped, slice(None), torch.float32)
    assert not caplog.text and found.isfinite().all()
    few = [4, 6, 17]  # those whose equations are worst conditioned
    exact = of_digits(shipped, few, torch.float64)
    for row, expected in zip(found[few].double(), exact, strict=True):
        assert (row - expected).norm() < 1e-3 * expected.norm()


def test_gradients_of_the_model_reach_every_parameter_of_the_operator(new_classifier):
    """Encoder included: the input's keys and values carry gradients too."""
    model = new_classifier().eval()
    context = model.operator.encode(torch.randn(2, 6, 2, generator=torch.manual_seed(0)))
    image = phantom(partial(model.operator, context=context), model.start([0, 1]))
    model.logits(image).square().sum().backward()
    silent = {n for n, p in model.named_parameters() if p.grad is None or not p.grad.any()}
    assert not silent
